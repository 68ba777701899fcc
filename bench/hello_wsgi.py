"""The work of docroot/hello.py as a WSGI application, for granian."""


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]
