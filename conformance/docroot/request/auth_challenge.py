def main(request, response):
    if request.auth.username is None:
        return 401, [(b"WWW-Authenticate", b'Basic realm="test"')], b"who?"
    return request.auth.username + b"/" + request.auth.password
