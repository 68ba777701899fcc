"""Cookies: shows those that came, sets or deletes one by query.

`?set=NAME&value=VALUE` sets one for an hour, `?delete=NAME` makes the browser forget it.
"""
from datetime import timedelta


def main(request, response):
    lines = [b"cookies in this request:"]
    for name in sorted(request.cookies.keys()):
        lines.append(b"  %s = %s" % (name, request.cookies.first(name).value))
    if len(lines) == 1:
        lines.append(b"  none")

    name = request.GET.first(b"set", None)
    if name:
        response.set_cookie(name, request.GET.first(b"value", b""), max_age=timedelta(hours=1))
        lines.append(b"set now: " + name)
    name = request.GET.first(b"delete", None)
    if name:
        response.delete_cookie(name)
        lines.append(b"deleted now: " + name)

    response.headers.set(b"Content-Type", b"text/plain")
    response.headers.set(b"Cache-Control", b"no-store")
    response.content = b"\n".join(lines) + b"\n"
