def main(request, response):
    response.set_error(500, "said by the handler")
