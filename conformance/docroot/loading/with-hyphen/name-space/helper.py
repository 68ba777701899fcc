WHERE = "a namespace package with a hyphen"


def where():
    return WHERE
