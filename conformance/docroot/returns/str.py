def main(request, response):
    return "text"
