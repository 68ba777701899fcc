"""Writes until the peer has gone, then leaves word in the stash."""

import time


def main(request, response):
    response.writer.write_status(200)
    response.writer.end_headers()
    for _ in range(2000):
        if not response.writer.write(b"x" * 1000):
            request.server.stash.put(request.GET.first(b"key"), "gone", "/writer/")
            return
        time.sleep(0.005)
