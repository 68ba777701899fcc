from wptserve.handlers import json_handler


@json_handler
def main(request, response):
    raise ValueError("inside a json_handler")
