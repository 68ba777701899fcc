"""A put and a take of a fresh key."""
import uuid


def main(request, response):
    key = str(uuid.uuid4())
    request.server.stash.put(key, b"hello")
    return [(b"Content-Type", b"text/plain")], request.server.stash.take(key)
