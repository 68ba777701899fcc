from wptserve.request import MultiDict


def main(request, response):
    values = MultiDict()
    values.add("k", 1)
    values.add("k", 2)
    values["one"] = 3
    return repr([values["k"], values.get_list("k"), values["one"], values.last("k"),
                 list(values.items())])
