def main(request, response):
    handler = response.writer._handler
    for status in (100, 103):
        handler.send_response_only(status)
        handler.end_headers()
    response.status = 201
    response.content = "made"
