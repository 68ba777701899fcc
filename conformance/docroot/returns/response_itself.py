def main(request, response):
    response.content = b"content"
    return response
