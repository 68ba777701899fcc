"""A handler that fails: the client gets a 500 whose JSON holds the traceback, the log a line."""


def main(request, response):
    return look_up({"red": 1}, "blue")


def look_up(table, key):
    return table[key]
