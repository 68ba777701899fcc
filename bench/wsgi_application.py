"""The work of the handlers hello, get_first, medium and form as a WSGI application, for granian and
uWSGI, with what an author of such an application would use for it."""
import hashlib
import json
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, quote

from multipart import parse_form_data


def application(environ, start_response):
    headers, body = PAGES[environ["PATH_INFO"]](environ)
    start_response("200 OK", [*headers, ("Content-Length", str(len(body)))])
    return [body]


def hello(environ):
    return [("Content-Type", "text/plain")], b"hello"


def get_first(environ):
    query = parse_qs(environ["QUERY_STRING"])
    return [("Content-Type", query["content-type"][0])], b"hello"


class Visit:
    """How often a client was here, and under which name."""

    def __init__(self, name, count):
        self.name = name
        self.count = count

    def tag(self):
        return hashlib.sha1(f"{self.name}:{self.count}".encode()).hexdigest()


def medium(environ):
    name = parse_qs(environ["QUERY_STRING"]).get("name", ["nobody"])[0]
    sent = SimpleCookie(environ.get("HTTP_COOKIE", "")).get("count")
    visit = Visit(name, int(sent.value) + 1 if sent else 1)
    cookie = SimpleCookie({"count": str(visit.count)})
    cookie["count"]["path"] = "/"
    content = json.dumps({"name": visit.name, "count": visit.count, "tag": visit.tag(),
                          "next": f"/medium.py?name={quote(visit.name)}"})
    return [("Content-Type", "application/json"), ("Cache-Control", "no-store"),
            ("Set-Cookie", cookie["count"].OutputString())], content.encode()


def form(environ):
    fields, files = parse_form_data(environ)
    sizes = []
    for name in ("name", "text", "file"):
        content = files[name].file.read() if name in files else fields[name].encode()
        sizes.append(f"{name}={len(content)}")
    return [("Content-Type", "text/plain")], "&".join(sizes).encode()


PAGES = {"/hello.py": hello, "/get_first.py": get_first, "/medium.py": medium, "/form.py": form}
