def main(request, response):
    try:
        response.writer._handler.wfile.write("text")
    except TypeError:
        return "TypeError"
