def main(request, response):
    return b"the default of a directory called default.py"
