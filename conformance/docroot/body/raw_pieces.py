def main(request, response):
    raw = request.raw_input
    return repr([raw.tell(), raw.read(3), raw.tell(), raw.read(0), raw.read(100), raw.tell(),
                 raw.read(1), raw.length])
