main = lambda req, res: b"from a lambda"  # noqa: E731
