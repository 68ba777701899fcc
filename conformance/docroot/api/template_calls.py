import os

from wptserve.pipes import template


def main(request, response):
    with open(os.path.join(request.doc_root, "ranges", "digits.txt"), "rb") as file:
        assert file.read(3) == b"012"
    return template(request, b"{{fs_path(x)}} {{file_hash(md5, ranges/digits.txt)}} "
                             b"{{header_or_default(X-None, d)}} {{uuid()}} {{location[path]}}")
