def main(request, response):
    raw = request.raw_input
    return repr([next(raw), raw.next()])
