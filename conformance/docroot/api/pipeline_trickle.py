from wptserve.pipes import Pipeline


def main(request, response):
    response.content = "0123456789"
    Pipeline("trickle(4:d0.01:r2)")(request, response)
    parts = list(response.iter_content())
    response.content = repr([parts, list(response.headers)])
