def main(request, response):
    names = sorted(name for name in request.headers if name != b"host")
    seen = (
        request.method, request.request_path, request.h2_stream_id, names,
        request.headers.get("x-a"), request.headers[b"path"], sorted(request.raw_headers.raw_headers),
        request.GET.first(b"q"), request.url_parts.query,
    )
    return [("Content-Type", "text/plain")], repr(seen)
