import io


def main(request, response):
    writer = response.writer
    writer.write_status(200)
    writer.end_headers()
    file = io.BytesIO(b"z" * 40000)
    result = writer.write_content_file(file)
    writer.write(repr([result, file.closed]))
