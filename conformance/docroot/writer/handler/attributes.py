from http.server import BaseHTTPRequestHandler


def main(request, response):
    handler = response.writer._handler
    lines = [
        type(handler).__name__,
        isinstance(handler, BaseHTTPRequestHandler),
        handler is response.writer._handler,
        handler.command,
        handler.path,
        handler.requestline,
        handler.raw_requestline,
        handler.request_version,
        handler.protocol_version,
        handler.default_request_version,
        handler.close_connection,
        handler.headers.items(),
        handler.client_address == request.client_address,
        handler.address_string(),
        handler.connection is handler.request,
        handler.connection.getpeername() == request.client_address,
        handler.connection.getsockname() == handler.server.server_address,
        handler.server.server_address[0],
        handler.server.server_port == handler.server.server_address[1],
        handler.server.scheme,
        handler.server.router.doc_root == request.doc_root,
        handler.date_time_string(0),
        handler.wfile.writable(),
        handler.rfile.readable(),
        handler.responses[404],
    ]
    return "\n".join(map(repr, lines))
