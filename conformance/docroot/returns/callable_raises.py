def fail():
    raise RuntimeError("no content")


def main(request, response):
    return [b"before", fail]
