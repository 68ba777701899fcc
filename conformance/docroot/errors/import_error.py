import no_such_module_anywhere


def main(request, response):
    return b"never"
