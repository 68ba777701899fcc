from wptserve.handlers import load_headers


def main(request, response):
    return repr(load_headers(request, request.doc_root + "/json/value.py"))
