def main(request, response):
    writer = response.writer
    writer.write_status(200)
    writer.write_header("Content-Type", "text/plain")
    writer.end_headers()
    writer.write_content(b"one ")
    writer.write_content("two ")
    writer.write(b"three")
