def main(request, response):
    response.encoding = "latin-1"
    return "\xe9 in one byte"
