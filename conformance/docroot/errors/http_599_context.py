from wptserve.utils import HTTPException


def main(request, response):
    try:
        raise ValueError("the context")
    except ValueError:
        raise HTTPException(599)
