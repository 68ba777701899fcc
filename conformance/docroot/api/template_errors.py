from wptserve.pipes import template

TEMPLATES = [
    (b"{{unknown}}", "html"), (b"{{ports}}", "html"), (b"{{headers[x-none]}}", "html"),
    (b"{{host}}", "other"), (b"{{}}", "html"), ("{{host}}", "html"), (b"no token", "other"),
    (b"{{uuid(1)}}", "html"), (b"{{fs_path(/../x)}}", "html"), (b"{{file_hash(x, y)}}", "html"),
]


def main(request, response):
    found = []
    for content, escape_type in TEMPLATES:
        try:
            found.append(repr(template(request, content, escape_type)))
        except Exception as error:
            found.append(type(error).__name__)
    return "\n".join(found)
