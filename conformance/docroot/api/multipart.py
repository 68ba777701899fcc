from wptserve.response import MultipartContent


def main(request, response):
    content = MultipartContent("B", "text/default")
    content.append_part(b"one")
    content.append_part(b"two", "text/x", [(b"Content-Range", b"bytes 0-1/2"), (b"X-A", b"1")])
    content.append_part(b"three", None, [(b"content-type", b"text/y")])
    return [("Content-Type", "multipart/mixed; boundary=" + content.boundary)], content
