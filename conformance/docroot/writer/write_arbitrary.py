def main(request, response):
    response.close_connection = True
    response.writer.write(b"\x00\x01 this is not HTTP \xff")
