from wptserve.response import MultipartPart


def main(request, response):
    return MultipartPart(b"data", b"text/plain", [(b"X-A", b"1")]).to_bytes()
