def main(request, response):
    handler = response.writer._handler
    handler.close_connection = True
    handler.close_connection = False
    return "open"
