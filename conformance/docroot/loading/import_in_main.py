def main(request, response):
    from loading.package import inner
    return inner.described()
