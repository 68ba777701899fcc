from wptserve.handlers import HTTPException


def main(request, response):
    response.headers.set(b"X-Lost", b"1")
    raise HTTPException(400, "bad parameter")
