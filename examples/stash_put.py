"""Leaves a value in the stash under a UUID, for stash_take.py to find: how two requests talk.

A key holds one value: putting a second one before the first is taken is an error (500).
The path says whose keys these are; without it, a handler sees only its own.
"""
import uuid


def main(request, response):
    key = request.GET.first(b"key", None) or str(uuid.uuid4()).encode()
    value = request.GET.first(b"value", b"hello")
    request.server.stash.put(key=key, value=value, path="/stash")
    return [("Content-Type", "text/plain"), ("Cache-Control", "no-store")], b"put under %s\n" % key
