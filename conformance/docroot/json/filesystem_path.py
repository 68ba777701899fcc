import os

from wptserve.handlers import filesystem_path


def main(request, response):
    return os.path.relpath(filesystem_path(None, request), request.doc_root)
