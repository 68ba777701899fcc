def main(request, response):
    response.content = b"once "
    response.write()
    response.content = b"twice"
    response.write_content()
