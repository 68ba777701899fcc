def main(a, b, /):
    return b"positional only"
