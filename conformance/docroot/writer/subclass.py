from wptserve.response import ResponseHeaders


class Headers(ResponseHeaders):
    def __iter__(self):
        yield b"X-Always", b"1"
        yield from super().__iter__()


def main(request, response):
    response.headers = Headers()
    return [(b"X-Returned", b"2")], b"body"
