from wptserve.response import MultipartContent


def main(request, response):
    content = MultipartContent()
    content.append_part(b"first")
    return [(b"Content-Type", "multipart/mixed; boundary=" + content.boundary)], content
