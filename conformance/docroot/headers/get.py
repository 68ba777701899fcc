def main(request, response):
    headers = response.headers
    headers.append(b"X-A", b"1")
    headers.append("x-a", "2")
    headers.set(b"X-N", 12)
    return repr([headers.get(b"x-a"), headers.get("X-A"), headers["x-A"], headers.get("none"),
                 headers.get("none", 5), "x-a" in headers, b"none" in headers, headers[b"X-N"]])
