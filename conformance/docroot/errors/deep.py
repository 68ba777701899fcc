def third():
    return 1 // 0


def second():
    return third()


def main(request, response):
    return second()
