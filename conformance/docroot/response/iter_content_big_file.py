import io


def main(request, response):
    response.content = io.BytesIO(b"x" * 70000)
    sizes = [len(piece) for piece in response.iter_content(read_file=True)]
    return repr([sizes, response.content.closed])
