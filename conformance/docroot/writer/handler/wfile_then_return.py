def main(request, response):
    response.writer._wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
    return "the response is written all the same"
