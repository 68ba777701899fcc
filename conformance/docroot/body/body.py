def main(request, response):
    return repr([request.body, request.body is request.body])
