def main(request, response):
    response.set_error(400, "\xe9\u5929 \"quoted\" \\")
