def main(request, response):
    return b"run, not served"
