class Stop(BaseException):
    pass


def main(request, response):
    raise Stop("not an Exception")
