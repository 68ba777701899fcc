def main(request, response, more=b"a default"):
    return more
