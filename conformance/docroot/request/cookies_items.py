def main(request, response):
    return repr([[key, [str(value) for value in values]]
                 for key, values in request.cookies.items()])
