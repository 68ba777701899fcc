SEEN_PATH = "/request/same_connection.py"


def main(request, response):
    key = b"0a0a0a0a-0000-1000-8000-00000000000a"
    before = request.server.stash.take(key, SEEN_PATH)
    request.server.stash.put(key, request.client_address, SEEN_PATH)
    return str(before == request.client_address)
