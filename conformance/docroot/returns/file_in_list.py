import os


def main(request, response):
    return [b"before ", open(os.path.join(os.path.dirname(__file__), "file.txt"), "rb")]
