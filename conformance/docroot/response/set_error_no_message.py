def main(request, response):
    response.set_error(403)
