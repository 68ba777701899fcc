def main(request, response):
    response.add_required_headers = False
    return b"body"
