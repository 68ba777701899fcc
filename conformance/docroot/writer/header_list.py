def main(request, response):
    response.writer.write_header("X-List", [b"1"])
