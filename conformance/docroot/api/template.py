from wptserve.pipes import template


def main(request, response):
    content = b"{{host}} {{GET[a]}} \xff"
    return b" | ".join([
        template(request, content),
        template(request, content, "none"),
        template(request, content, escape_type="html"),
    ])
