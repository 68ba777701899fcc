def main(request, response):
    return [], (digit for digit in [b"0123", b"4567", b"", b"89"])
