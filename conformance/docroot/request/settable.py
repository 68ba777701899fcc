def main(request, response):
    request.note = "kept"
    request.doc_root = "/elsewhere"
    request.method = "CHANGED"
    return repr([request.note, request.doc_root, request.method])
