from wptserve import pipes


def main(request, response):
    response.content = "{{GET[a]}} {{$x:host}} {{$x}}"
    pipes.sub(request, response, request.GET.first(b"type", b"html").decode())
