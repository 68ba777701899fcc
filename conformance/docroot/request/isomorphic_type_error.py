from wptserve.utils import isomorphic_decode


def main(request, response):
    return isomorphic_decode(None)
