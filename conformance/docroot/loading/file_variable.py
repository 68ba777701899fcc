import os


def main(request, response):
    with open(os.path.join(os.path.dirname(__file__), "beside.txt"), "rb") as file:
        return repr([type(__file__).__name__, os.path.relpath(__file__, request.doc_root),
                     file.read()])
