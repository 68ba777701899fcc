def main(request, response):
    response.headers.set(b"Access-Control-Allow-Origin", b"*")
    raise ValueError("went wrong")
