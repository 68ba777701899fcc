from wptserve.server import RequestRewriter


class Asked:
    command = "GET"

    def __init__(self, path):
        self.path = path


def main(request, response):
    rewriter = RequestRewriter([("GET", "/a", "/b"), ("POST", "/c", "/d"), ("*", "/e", "/f")])
    rewriter.register(["GET", "HEAD"], "/g", "/h?x=1")
    lines = []
    for path in ["/a", "/a?q=1", "/a/", "/c", "/e?x#y", "/g?q", "/b"]:
        asked = Asked(path)
        rewriter.rewrite(asked)
        lines.append(asked.path)
    return "\n".join(lines)
