def main(request, response):
    return ((b"X-%d" % n, b"%d" % n) for n in range(3)), b"generated headers"
