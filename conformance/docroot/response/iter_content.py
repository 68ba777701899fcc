import io


def main(request, response):
    shown = []
    for content in [b"bytes", "t\xe9xt", [b"a", lambda: b"b", None, b""], (c for c in "xy"),
                    io.BytesIO(b"file")]:
        response.content = content
        shown.append(list(response.iter_content()))
    response.content = []
    return repr(shown)
