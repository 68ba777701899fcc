"""Calls set_cookie with the keyword arguments that the query gives as a Python expression."""

import datetime


def main(request, response):
    arguments = eval(request.GET.first(b"arguments", b"{}"), {"datetime": datetime})
    response.set_cookie(request.GET.first(b"name", b"name"),
                        request.GET.first(b"value", b"value"), **arguments)
    return repr(response.headers.get("Set-Cookie"))
