def main(request, response):
    return b"a file name with a space"
