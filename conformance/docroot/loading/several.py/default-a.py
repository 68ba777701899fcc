import os


def main(request, response):
    return os.path.basename(__file__)
