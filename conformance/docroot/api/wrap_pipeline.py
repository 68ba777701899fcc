from wptserve.handlers import wrap_pipeline


def main(request, response):
    response.content = "{{host}} {{GET[a]}}"
    path = request.GET.first(b"path").decode()
    request.url_parts = request.url_parts._replace(query=request.GET.first(b"q", b"a=<").decode())
    returned = wrap_pipeline(path, request, response)
    response.headers.set("X-Same", str(returned is response))
    request.url_parts = request.url_parts._replace(query="")
