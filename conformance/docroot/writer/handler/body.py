def main(request, response):
    handler = response.writer._handler
    first = handler.rfile.read(5)
    line = handler.rfile.readline()
    # What is read here, the server would read again behind the body to keep the connection.
    response.close_connection = True
    return repr([first, line, handler.rfile.read(3)])
