import counter


def main(request, response):
    return "the own directory is on sys.path"
