import os


def main(request, response):
    path = os.path.join(os.path.dirname(__file__), "file.txt")
    return [(b"Content-Type", b"text/plain")], open(path, encoding="utf-8")
