def main(request, response):
    handler = response.writer._handler
    lines = [
        handler.command,
        handler.path,
        handler.h2_stream_id,
        handler.protocol_version,
        handler.raw_requestline,
        handler.client_address == request.client_address,
        handler.headers["method"],
        sorted(handler.headers),
        handler.headers.raw_headers[":path"],
        handler.rfile.readable(),
        handler.server.scheme,
        hasattr(handler, "wfile"),
        hasattr(handler, "send_response"),
    ]
    response.headers.set("Content-Type", "text/plain")
    response.content = "\n".join(map(repr, lines))
