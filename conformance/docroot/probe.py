"""Answers with the nonce it was asked with; the suite ends every exchange here."""


def main(request, response):
    return [(b"X-Probe", request.url_parts.query)], b""
