def main(request, response):
    return repr(["a" in request.cookies, request.cookies.get("a", None)])
