def main(request, response):
    return repr([repr(request), type(request).__name__])
