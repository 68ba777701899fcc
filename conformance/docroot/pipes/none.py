def main(request, response):
    response.headers.set("X-Handler", "ran")
    response.content = "0123456789"
