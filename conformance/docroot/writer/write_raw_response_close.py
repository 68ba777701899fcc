def main(request, response):
    response.writer.write(b"HTTP/1.1 222 Raw And Closed\r\n\r\nto the end")
    response.close_connection = True
