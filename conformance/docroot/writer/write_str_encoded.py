def main(request, response):
    response.close_connection = True
    response.encoding = "utf-16-le"
    response.writer.write("\u5929")
