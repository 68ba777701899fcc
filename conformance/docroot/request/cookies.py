def main(request, response):
    cookies = request.cookies
    return repr([cookies.first(b"a", None), cookies.get(b"a"), cookies.get_list(b"a"),
                 b"a" in cookies, sorted(cookies), sorted(cookies.keys()), len(cookies)])
