def main(request, response):
    return {b"ab": 1}, b"a dict of two-byte names"
