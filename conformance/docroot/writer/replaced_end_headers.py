def main(request, response):
    original = response.writer.end_headers

    def end_headers():
        response.writer.write_header("X-Late", "1")
        return original()

    response.writer.end_headers = end_headers
    return b"body"
