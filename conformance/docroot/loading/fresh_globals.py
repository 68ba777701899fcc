COUNT = 0


def main(request, response):
    global COUNT
    COUNT += 1
    return str(COUNT)
