def main(request, response):
    return (b"alone",)
