def main(request, response):
    handler = response.writer._handler
    handler.send_response(299, "Own words")
    handler.send_header("Content-Length", "4")
    handler.end_headers()
    handler.wfile.write(b"body")
    handler.wfile.flush()
    response.writer.content_written = True
