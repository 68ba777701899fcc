import pickle


def main(request, response):
    copied = pickle.loads(pickle.dumps(dict(request.headers)))
    return repr(sorted(copied.items()))
