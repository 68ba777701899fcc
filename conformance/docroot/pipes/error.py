def main(request, response):
    raise ValueError("on purpose")
