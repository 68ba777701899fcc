from loading.package import NAME
from loading.package.inner import described


def main(request, response):
    return repr([NAME, described()])
