def main(request, response):
    headers = response.headers
    headers.set(b"X-A", b"1")
    headers.append(b"X-B", b"2")
    headers.append(b"x-a", b"3")
    headers.set("X-C", "4")
    headers.set(b"x-b", b"5")
    headers.append("X-D", 6)
    return b"body"
