def main(request, response):
    response.close_connection = True
    return b"body"
