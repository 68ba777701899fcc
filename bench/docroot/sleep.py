"""Blocks its thread for `?ms=`."""
import time


def main(request, response):
    time.sleep(int(request.GET.first(b"ms")) / 1000)
    return [(b"Content-Type", b"text/plain")], b"slept"
