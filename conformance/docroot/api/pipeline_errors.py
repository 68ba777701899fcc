from wptserve.pipes import Pipeline

PIPES = ["unknown", "status", "status(x)", "status(1,2)", "header(a)", "slice()", "gzip(1)",
         "header(a,b,maybe)", "trickle(x)", "", "|", "(", ")", "status(200"]


def main(request, response):
    found = []
    for text in PIPES:
        response.content = "0123456789"
        try:
            found.append(repr(Pipeline(text)(request, response) is response))
        except Exception as error:
            found.append(type(error).__name__)
    response.headers = type(response.headers)()
    response.status = 200
    response.content = "\n".join(found)
