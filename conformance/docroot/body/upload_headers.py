def main(request, response):
    upload = request.POST[b"file"]
    return repr([sorted(upload.headers.items()), upload.headers["content-type"],
                 upload.headers["X-None"], upload.type, upload.type_options, upload.disposition,
                 sorted(upload.disposition_options.items())])
