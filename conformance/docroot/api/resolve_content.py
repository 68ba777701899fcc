import io

from wptserve.pipes import resolve_content


def main(request, response):
    found = []
    for content in [b"bytes", "text\xe9", [b"a", "b", lambda: b"c"], io.BytesIO(b"file"),
                    (part for part in [b"x", b""]), [], ""]:
        response.content = content
        try:
            found.append(repr(resolve_content(response)))
        except Exception as error:
            found.append(type(error).__name__)
    response.content = "\n".join(found)
