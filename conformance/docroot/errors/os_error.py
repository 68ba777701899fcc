def main(request, response):
    return open("/no/such/file/anywhere", "rb").read()
