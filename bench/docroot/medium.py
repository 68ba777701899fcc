"""What a handler of average size does: imports, a query, cookies, JSON in the answer."""
import hashlib
import json
from urllib.parse import quote

from wptserve.utils import isomorphic_decode


class Visit:
    """How often a client was here, and under which name."""

    def __init__(self, name, count):
        self.name = name
        self.count = count

    def tag(self):
        return hashlib.sha1(f"{self.name}:{self.count}".encode()).hexdigest()


def main(request, response):
    name = isomorphic_decode(request.GET.first(b"name", b"nobody"))
    cookie = request.cookies.first(b"count", None)
    visit = Visit(name, int(cookie.value) + 1 if cookie else 1)
    response.set_cookie(b"count", str(visit.count).encode())
    response.headers.set(b"Content-Type", b"application/json")
    response.headers.set(b"Cache-Control", b"no-store")
    return json.dumps({"name": visit.name, "count": visit.count, "tag": visit.tag(),
                       "next": f"/medium.py?name={quote(visit.name)}"})
