def main(request, response):
    raw = request.raw_input
    return repr([raw.read(2), request.body, raw.tell(), raw.read(2)])
