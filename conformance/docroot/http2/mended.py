def main(request, response):
    return [], repr((request.url.partition(":")[0], request.headers.get("host"), request.body, request.cookies.first(b"b").value))
