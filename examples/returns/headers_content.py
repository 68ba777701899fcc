"""Return format 2: (headers, content). The status is 200."""


def main(request, response):
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")]
    return headers, "Headers and content; the status is 200.\n"
