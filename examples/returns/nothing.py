"""Returning nothing: what was set on the response object is sent."""


def main(request, response):
    response.status = 202, "Taken Note Of"
    response.headers.set("Content-Type", "text/plain; charset=utf-8")
    response.headers.append("Vary", "Cookie")
    response.headers.append("Vary", "Accept")
    response.content = "main() returned None, so the response object speaks.\n"
