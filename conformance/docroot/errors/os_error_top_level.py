open("/no/such/file/anywhere", "rb")


def main(request, response):
    return b"never"
