def main(request, response):
    response.writer.write_status(203)
    response.writer.write_header("X-A", "1")
    return "returned too"
