"""Answers after `?ms=1000`. A sleeping handler holds up nobody else: ask for it many times at once."""
import time


def main(request, response):
    milliseconds = int(request.GET.first(b"ms", 1000))
    time.sleep(milliseconds / 1000)
    return [("Content-Type", "text/plain"), ("Cache-Control", "no-store")], f"slept {milliseconds} ms\n"
