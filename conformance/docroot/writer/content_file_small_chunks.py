import io


def main(request, response):
    writer = response.writer
    writer.file_chunk_size = 7
    writer.write_status(200)
    writer.end_headers()
    writer.write_content_file(io.BytesIO(b"0123456789" * 3))
