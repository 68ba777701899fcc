def main(request, response):
    response.set_error(412, "then a value")
    response.headers = []
    return b"the value"
