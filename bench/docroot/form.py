"""The fields of a form that was sent, urlencoded or multipart: their names and sizes."""


def main(request, response):
    fields = []
    for name in (b"name", b"text", b"file"):
        value = request.POST.first(name)
        content = value.file.read() if hasattr(value, "file") else value
        fields.append(name + b"=%d" % len(content))
    return [(b"Content-Type", b"text/plain")], b"&".join(fields)
