COUNT = 0


def count():
    global COUNT
    COUNT += 1
    return COUNT
