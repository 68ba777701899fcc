def main(request, response):
    original = response.writer.write
    seen = []

    def write(data):
        seen.append(data)
        return original(data)

    response.writer.write = write
    response.headers.set(b"X-A", b"1")
    response.content = b"body "
    response.write()
    original(repr([piece for piece in seen if b"Date" not in response.writer.encode(piece)][:3]))
    response.close_connection = True
