def main(request, response):
    assert request.method == "NEVER", request.method
