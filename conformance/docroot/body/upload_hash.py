import hashlib


def main(request, response):
    upload = request.POST[b"file"]
    return repr([len(upload.value), hashlib.sha256(upload.file.read()).hexdigest()])
