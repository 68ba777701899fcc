import gzip

from wptserve.pipes import Pipeline


def main(request, response):
    response.content = "0123456789" * 10
    Pipeline("gzip")(request, response)
    length = int(response.headers.get("Content-Length")[0])
    packed = response.content
    del response.headers["Content-Length"]
    del response.headers["Content-Encoding"]
    response.content = repr([length == len(packed), gzip.decompress(packed)])
