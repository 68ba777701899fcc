import importlib

helper = importlib.import_module("loading.with-hyphen.name-space.helper")


def main(request, response):
    return helper.where()
