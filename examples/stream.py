"""Content that is a generator is sent piece by piece, as the pieces are made.

`?pieces=5&ms=300` sets how many there are and how long each takes. Nothing is known about
the length beforehand, so the end of the body is the end of the connection.
"""
import time


def main(request, response):
    pieces = int(request.GET.first(b"pieces", 5))
    seconds = int(request.GET.first(b"ms", 300)) / 1000

    def content():
        for number in range(1, pieces + 1):
            yield f"piece {number} of {pieces}\n"
            time.sleep(seconds)

    return [("Content-Type", "text/plain; charset=utf-8"),
            ("X-Content-Type-Options", "nosniff")], content()
