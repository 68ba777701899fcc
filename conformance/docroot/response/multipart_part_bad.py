from wptserve.response import MultipartPart


def main(request, response):
    return MultipartPart("text").to_bytes()
