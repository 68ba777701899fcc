main = b"a value"
