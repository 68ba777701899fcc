def main(request, response):
    response.add_required_headers = False
    return [(b"X-Only", b"1")], b"body"
