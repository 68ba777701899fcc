from wptserve import pipes


def main(request, response):
    response.content = "0123456789"
    pipes.status(request, response, 203)
    pipes.header(request, response, "X-A", "1")
    pipes.header(request, response, "X-A", "2", append=True)
    pipes.header(request, response, b"X-B", b"\xe9")
    pipes.slice(request, response, 2, None)
    pipes.slice(request, response, start=1)
