import os

from wptserve.handlers import FileHandler


def main(request, response):
    handler = FileHandler(base_path=os.path.join(request.doc_root, "ranges"), url_base="/mount/")
    request.url_parts = request.url_parts._replace(path="/mount/digits.txt")
    handler(request, response)
    response.headers.set("X-Handler", repr(handler).replace(request.doc_root, "ROOT"))
