from wptserve.handlers import FileHandler


def main(request, response):
    request.url_parts = request.url_parts._replace(path="/loading/beside.txt")
    FileHandler()(request, response)
