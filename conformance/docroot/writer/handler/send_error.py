def main(request, response):
    response.writer._handler.send_error(410, "Gone <b>", "It was here once.")
    response.writer.content_written = True
