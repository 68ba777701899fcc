def main(request, response):
    return repr([request.GET, dict(request.GET), isinstance(request.GET, dict),
                 type(request.GET).__name__])
