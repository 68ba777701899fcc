import os


def main(request, response):
    return [("X-A", "handler")], open(os.path.join(request.doc_root, "pipes", "digits.txt"), "rb")
