def main(request, response):
    response.set_error(418, "short")
