def other(request, response):
    return b"not called"
