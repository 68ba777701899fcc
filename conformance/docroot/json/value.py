from wptserve.handlers import json_handler


@json_handler
def main(request, response):
    return {"a": [1, None, True], "b": "\u5929"}
