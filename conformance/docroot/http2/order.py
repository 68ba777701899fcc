SEEN = []


def handle_headers(frame, request, response):
    SEEN.append(("headers", type(frame).__name__, frame.stream_id, bool(frame.stream_ended)))
    SEEN.append(dict(frame.headers)[b":path"])


def handle_data(frame, request, response):
    SEEN.append(("data", type(frame).__name__, frame.data, bool(frame.stream_ended)))


def main(request, response):
    frames = [type(frame).__name__ for frame in request.frames]
    return [("Content-Type", "text/plain")], repr((SEEN, frames, request.protocol_version))
