def main(request, response):
    return [("Content-Type", "text/html; charset=windows-1252")], "\xff \u5929"
