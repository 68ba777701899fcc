def main(req, res):
    res.headers.set(b"X-Method", req.method)
    return b"other parameter names"
