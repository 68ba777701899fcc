def main(request, response):
    handler = response.writer._handler
    handler.send_response_only(200)
    handler.send_header("Content-Length", "4")
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(b"last")
    response.writer.content_written = True
