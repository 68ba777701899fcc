"""Writes three parts with a pause between them; each is due on the wire before the next."""

import time


def main(request, response):
    response.writer.write_status(200)
    response.writer.write_header("Content-Length", 9)
    response.writer.end_headers()
    for part in ("one", "two", "end"):
        response.writer.write(part)
        time.sleep(0.3)
