import os


def main(request, response):
    return open(os.path.join(os.path.dirname(__file__), "file.txt"), "rb")
