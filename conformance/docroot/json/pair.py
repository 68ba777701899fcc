from wptserve.handlers import json_handler


@json_handler
def main(request, response):
    return [("X-A", "1")], {"pair": True}
