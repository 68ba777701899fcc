def main(request, response):
    headers = response.headers
    headers.append("X-A", "1")
    headers.append("X-B", "2")
    headers.append("X-a", "3")
    return repr([list(headers), headers.items(), type(headers).__name__])
