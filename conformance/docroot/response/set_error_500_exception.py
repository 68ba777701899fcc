def main(request, response):
    try:
        raise ValueError("caught")
    except ValueError as error:
        response.set_error(502, error)
