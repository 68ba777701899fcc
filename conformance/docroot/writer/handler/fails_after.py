def main(request, response):
    handler = response.writer._handler
    handler.send_response_only(103)
    handler.end_headers()
    raise ValueError("after an interim response")
