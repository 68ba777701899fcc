def main(request, response):
    response.writer._handler.send_response(404)
    return "found"
