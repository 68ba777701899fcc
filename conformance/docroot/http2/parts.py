def main(request, response):
    response.headers.set("X-A", "b")
    response.content = ["hello", "", lambda: "world"]
