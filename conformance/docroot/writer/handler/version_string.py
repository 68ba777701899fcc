def main(request, response):
    handler = response.writer._handler
    handler.version_string = lambda: "Mine/1"
    handler.date_time_string = lambda timestamp=None: "Today"
    return [("X-Server", handler.version_string())], "replaced"
