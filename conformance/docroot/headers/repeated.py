def main(request, response):
    return [(b"X-A", b"1"), (b"X-B", b"2"), (b"x-a", b"3"), ("X-b", "4")], b"grouped"
