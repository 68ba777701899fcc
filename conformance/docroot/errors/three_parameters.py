def main(request, response, more):
    return b"never"
