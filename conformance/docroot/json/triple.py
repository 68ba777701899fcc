from wptserve.handlers import json_handler


@json_handler
def main(request, response):
    return 201, [("X-A", "1"), ("Content-Type", "application/x-own")], "triple"
