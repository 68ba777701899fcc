import importlib

counter = importlib.import_module("loading.counter")


def main(request, response):
    return str(counter.count())
