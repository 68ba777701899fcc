from wptserve.stash import Stash, load_env_config


def main(request, response):
    key = "dddddddd-dddd-dddd-dddd-dddddddddddd"
    address, authkey = load_env_config()
    Stash("/stash/elsewhere", address, authkey).put(key, "through the environment")
    return repr(request.server.stash.take(key, "/stash/elsewhere"))
