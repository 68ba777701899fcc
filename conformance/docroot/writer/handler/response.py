def main(request, response):
    # The writer does not know what is written here, so that this response follows.
    response.headers.update([("Server", "s"), ("Date", "d"), ("Connection", "close")])
    handler = response.writer._handler
    handler.send_response(200)
    handler.send_header("X-Seen", "yes")
    handler.send_header("Content-Type", "text/plain")
    handler.end_headers()
    handler.wfile.write(b"by the handler")
