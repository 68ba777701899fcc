import os

from wptserve.handlers import load_headers

NAMES = ["folder/own.txt", "folder-sub/own.txt", "both/file.txt", "repeated.txt", "none.txt",
         "sub/host.txt", "empty.txt", "value-latin-1.txt", "no-colon.txt"]


def main(request, response):
    root = os.path.join(request.doc_root, "headers-files")
    return "\n".join(repr(load_headers(request, os.path.join(root, name))) for name in NAMES)
