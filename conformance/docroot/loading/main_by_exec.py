import os

path = os.path.join(os.path.dirname(os.path.dirname(__file__)), "returns", "pair.py")
environment = {"__file__": path}
with open(path, "rb") as source:
    exec(compile(source.read(), path, "exec"), environment)
main = environment["main"]
