import functools


def answer(prefix, request, response):
    return prefix + request.method.encode()


main = functools.partial(answer, b"partial ")
