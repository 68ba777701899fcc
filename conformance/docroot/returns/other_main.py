import os


def main(request, response):
    path = os.path.join(os.path.dirname(__file__), "pair.py")
    environment = {"__file__": path}
    with open(path, "rb") as file:
        exec(compile(file.read(), path, "exec"), environment)
    return environment["main"](request, response)
