from wptserve.response import MultipartContent


def main(request, response):
    content = MultipartContent("BOUNDARY", b"text/plain")
    content.append_part(b"first")
    content.append_part(b"second", b"text/html", [(b"X-A", b"1"), (b"X-A", b"2")])
    content.append_part(b"third", None, [(b"content-type", b"x/y")])
    response.content = content
    return None
