def main(request, response):
    raise ValueError("h\xe9 \u5929 \"quotes\"\nsecond line")
