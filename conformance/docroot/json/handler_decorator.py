from wptserve.handlers import handler


@handler
def main(request, response):
    return [("X-A", "1")], b"through handler()"
