from wptserve.pipes import nullable, opt, pipe
from wptserve.pipes import boolean


@pipe(str, opt(nullable(int)), opt(boolean))
def conformance_own(request, response, text, number=7, flag=None):
    response.headers.set("X-Own", "%s %r %r" % (text, number, flag))
    response.content = b"[" + b"".join(response.iter_content(read_file=True)) + b"]"
    return response


def main(request, response):
    response.content = "content"
