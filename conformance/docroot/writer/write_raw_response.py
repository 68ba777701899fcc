def main(request, response):
    response.writer.write("HTTP/1.1 221 Raw\r\nX-Raw: 1\r\nContent-Length: 4\r\n\r\nbody")
