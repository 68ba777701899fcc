def main(request, response):
    writer = response.writer
    writer.write_status(200)
    writer.write_header(b"X-Bytes", b"1")
    writer.write_header("X-Str", "2")
    writer.write_header("X-Int", 3)
    writer.write_header("X-Bool", True)
    writer.write_header("X-Not-Latin", "\xe9\u5929")
    writer.write_header(b"content-LENGTH", 4)
    writer.end_headers()
    writer.write("body")
