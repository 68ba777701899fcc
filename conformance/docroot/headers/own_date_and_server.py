def main(request, response):
    return [(b"date", b"never"), (b"SERVER", b"mine")], repr(
        [list(response.headers)])
