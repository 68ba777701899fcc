def main(request, response):
    response.writer.write_status(200)
    raise ValueError("after the status")
