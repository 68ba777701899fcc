def main(request, response):
    try:
        {}["key"]
    except KeyError as error:
        raise ValueError("from another") from error
