from wptserve.utils import HTTPException


def main(request, response):
    raise HTTPException(404, "on purpose")
