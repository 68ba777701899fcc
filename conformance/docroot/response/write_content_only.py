def main(request, response):
    response.content = b"content without write_status_headers"
    response.write_content()
