def main(request, response):
    queue = request.server.stash.get_queue()
    queue.put({"k": 1})
    queue.put(2)
    return repr([queue.qsize(), queue.get(), queue.get(timeout=1), queue.empty()])
