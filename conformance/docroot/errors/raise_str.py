def main(request, response):
    raise "a string"
