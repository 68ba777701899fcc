def main(request, response):
    response.writer._handler.send_error(404)
