from wptserve.utils import HTTPException


def main(request, response):
    response.writer.write_content(b"content")
    raise HTTPException(400, "too late")
