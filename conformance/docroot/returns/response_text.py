def main(request, response):
    response.text = "ignored"
    response.content = b"content"
