import io


def main(request, response):
    response.writer.write_content(io.BytesIO(b"y" * 70000))
