def main(request, response):
    writer = response.writer
    writer.write_status(103)
    writer.write_header("Link", "</style.css>; rel=preload")
    writer.write("\r\n")
    writer.write_status(200)
    writer.write_header("Content-Length", 4)
    writer.end_headers()
    writer.write("done")
