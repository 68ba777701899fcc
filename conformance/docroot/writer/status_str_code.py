def main(request, response):
    response.writer.write_status("200")
