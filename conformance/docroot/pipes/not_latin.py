def main(request, response):
    return "\u5929\xe9"
