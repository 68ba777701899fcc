def main(request, response):
    return repr([globals().get("__name__"), sorted(n for n in globals() if n != "__builtins__"),
                 main.__module__, main.__qualname__])
