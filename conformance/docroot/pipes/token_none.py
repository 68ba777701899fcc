def main(request, response):
    response.content = "{{host}} {{GET[a]}}"
