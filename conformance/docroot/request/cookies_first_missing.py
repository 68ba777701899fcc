def main(request, response):
    return request.cookies.first(b"missing").value
