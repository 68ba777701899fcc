def main(request, response):
    response.writer.write_content("c\xf6ntent")
