import io


def main(request, response):
    return io.BytesIO(b"x" * 100000)
