from wptserve.handlers import guess_content_type, parse_qs


def main(request, response):
    return repr([parse_qs(request.url_parts.query), guess_content_type("a/b.html"),
                 guess_content_type("x")])
