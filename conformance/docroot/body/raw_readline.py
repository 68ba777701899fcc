def main(request, response):
    raw = request.raw_input
    return repr([raw.readline(), raw.readline(2), raw.readline(), raw.tell(), raw.readline(),
                 raw.readline()])
