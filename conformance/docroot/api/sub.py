from wptserve import pipes


def main(request, response):
    response.content = b"{{host}} {{GET[a]}}"
    response = pipes.sub(request, response)
    response.headers.set("X-Type", type(response.content).__name__)
