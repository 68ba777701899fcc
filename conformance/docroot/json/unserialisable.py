from wptserve.handlers import json_handler


@json_handler
def main(request, response):
    return b"bytes are not JSON"
