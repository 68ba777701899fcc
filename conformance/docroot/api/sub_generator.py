from wptserve.pipes import sub


def main(request, response):
    response.content = (part for part in [b"{{ho", b"st}}", b" end"])
    return sub(request, response, escape_type="none").content
