"""The request as it came: the line and the header fields, in their order and case, as JSON."""
import json


def main(request, response):
    echo = {
        "request_line": request.request_line if isinstance(request.request_line, str)
        else request.request_line.decode("latin-1"),
        "method": request.method,
        "url": request.url,
        "client": list(request.client_address),
        "headers": [list(field) for field in request.raw_headers.raw_items()],
    }
    return [("Content-Type", "application/json"),
            ("Cache-Control", "no-store")], json.dumps(echo, indent=2) + "\n"
