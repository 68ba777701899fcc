def main(request, response):
    upload = request.POST.first(b"file")
    content = upload.file.read()
    upload.file.seek(0)
    return repr([content, upload.file.read(2), type(content).__name__, type(upload.value).__name__,
                 hasattr(upload, "file"), upload.filename])
