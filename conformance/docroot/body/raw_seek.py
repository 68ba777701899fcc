def main(request, response):
    raw = request.raw_input
    raw.seek(3)
    tail = raw.read()
    raw.seek(0)
    return repr([tail, raw.read(2), raw.tell()])
