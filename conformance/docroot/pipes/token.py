def main(request, response):
    return [("X-A", "{{host}}")], "{{host}} {{GET[a]}}"
