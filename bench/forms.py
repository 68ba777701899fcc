"""The bodies of forms that the benches send, and what docroot/form.py answers to them."""

FIELDS = {b"name": b"bench", b"text": b"a line of text " * 20}
FILE = bytes(range(256)) * 8
BOUNDARY = "bench-4c1d7f"

MULTIPART_TYPE = f"multipart/form-data; boundary={BOUNDARY}"
URLENCODED_TYPE = "application/x-www-form-urlencoded"


def urlencoded():
    fields = {**FIELDS, b"file": b"none"}
    return b"&".join(name + b"=" + value.replace(b" ", b"+") for name, value in fields.items())


def multipart(file=FILE):
    head = b'--%s\r\nContent-Disposition: form-data; name="%s"'
    boundary = BOUNDARY.encode()
    parts = [head % (boundary, name) + b"\r\n\r\n" + value for name, value in FIELDS.items()]
    parts.append(head % (boundary, b"file")
                 + b'; filename="bytes"\r\nContent-Type: application/octet-stream\r\n\r\n' + file)
    return b"\r\n".join([*parts, b"--%s--\r\n" % boundary])


def answer(file_size):
    sizes = {name: len(value) for name, value in FIELDS.items()} | {b"file": file_size}
    return b"&".join(name + b"=%d" % size for name, size in sizes.items())
