def handle_headers(frame, request, response):
    raise ValueError("the hook fails")


def main(request, response):
    return "not reached"
