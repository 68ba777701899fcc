from wptserve.utils import HTTPException


def main(request, response):
    raise HTTPException(200, "not an error")
