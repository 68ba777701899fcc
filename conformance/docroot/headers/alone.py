from wptserve.response import ResponseHeaders


def main(request, response):
    headers = ResponseHeaders()
    headers.set("A", 1)
    headers.append(b"a", b"2")
    return repr([list(headers), headers.get("a")])
