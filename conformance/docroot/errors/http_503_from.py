from wptserve.utils import HTTPException


def main(request, response):
    try:
        raise ValueError("the cause")
    except ValueError as error:
        raise HTTPException(503) from error
