def main(request, response):
    response.writer._handler.close_connection = True
    return [("Content-Length", "4")], "done"
