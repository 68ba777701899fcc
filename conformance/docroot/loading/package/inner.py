from . import NAME


def described():
    return NAME + ", from inside"
