from wptserve.utils import HTTPException


def main(request, response):
    error = HTTPException(418, "m")
    return repr([error.code, error.message, error.args, str(error)])
