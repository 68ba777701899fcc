def main(request, response):
    writer = response.writer
    writer.write_status(200)
    writer.write_header("Content-Length", 4)
    writer.end_headers()
    writer.write_content(b"12345678")
