import os


def main(request, response):
    with open(os.path.join(request.doc_root, "loading", "beside.txt"), "rb") as file:
        return file.read()
