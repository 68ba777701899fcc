from wptserve.pipes import Pipeline


def main(request, response):
    response.content = "0123456789"
    answer = Pipeline("slice(2,6)|header(X-A,a\\,b)|status(203)")(request, response)
    answer.headers.set("X-Same", str(answer is response))
    answer.headers.set("X-Status", repr(answer.status))
    answer.headers.set("X-Content", repr(answer.content))
