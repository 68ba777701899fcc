"""What the query names, written frame by frame."""

from io import BytesIO


def main(request, response):
    WRITE[request.GET.first(b"how")](response.writer)


def whole(writer):
    writer.write_headers([("Server", "test"), (b"X-Bytes", b"1"), ("x-int", 2)], 202)
    writer.write_data_frame(b"TEST", True)


def unended(writer):
    writer.write_headers([("server", "test")], 202)
    writer.write_data_frame(b"TEST", False)


def ended(writer):
    writer.write_headers([("server", "test")], 200)
    writer.write_data("text", last=False)
    writer.end_stream()


def last(writer):
    writer.write_headers([("server", "test")], 204, last=True)
    writer.stream_ended = True


def file(writer):
    writer.write_headers([("server", "test")], 200)
    writer.write_data(BytesIO(b"a file"), last=True)


def long(writer):
    size = writer.get_max_payload_size()
    writer.write_headers([("payload-size", size)], 200)
    writer.write_data("a" * (size + 5), last=True)


def push(writer):
    writer.write_headers([("server", "test")], 202)
    promise = [
        (":method", "GET"), (":path", "/push"), (":scheme", "http"), (":authority", "a.test:80"),
    ]
    writer.write_push(
        promise, push_stream_id=10, status=203, response_headers=[("content-type", "text")],
        response_data=b"PUSH",
    )
    writer.write_data_frame(b"TEST", True)


def push_next(writer):
    writer.write_headers([("server", "test")], 202)
    promise = [
        (":method", "GET"), (":path", "/push"), (":scheme", "http"), (":authority", "a.test:80"),
    ]
    stream = writer.write_push(promise)
    writer.write_headers([("x-own", "1")], 200, stream_id=stream)
    writer.write_data(b"by hand", stream_id=stream, last=True)
    writer.write_data(b"%d" % stream, last=True)


def raw_headers(writer):
    writer.write_raw_header_frame([(":status", "204"), ("server", "test")], end_headers=True)


def raw_headers_end(writer):
    writer.write_raw_header_frame(
        [(":status", "204"), ("server", "test")], end_headers=True, end_stream=True
    )


def raw_invalid(writer):
    writer.write_raw_header_frame([("server", "test"), (":status", "204")], end_headers=True)


def raw_data(writer):
    writer.write_raw_data_frame(data=b"no head", end_stream=True)


def raw_continuation(writer):
    writer.write_raw_header_frame([(":status", "204")])
    writer.write_raw_continuation_frame([("server", "test")], end_headers=True)


def raw_after(writer):
    writer.write_headers([("server", "test")], 200)
    writer.write_data(b"tracked ")
    writer.write_raw_data_frame(b"raw", end_stream=True)


def raw_elsewhere(writer):
    writer.write_raw_data_frame(b"nobody asked", stream_id=7)
    writer.write_headers([("server", "test")], 200, last=True)
    writer.stream_ended = True


def encode(writer):
    writer.write_headers([("server", "test")], 200)
    writer.write_data(repr((writer.encode("\u20ac"), writer.decode(b"\xe2\x82\xac"))), last=True)


WRITE = {
    name.encode(): value
    for name, value in list(globals().items())
    if callable(value) and name not in ("main", "BytesIO")
}
