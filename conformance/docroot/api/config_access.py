def main(request, response):
    config = request.server.config
    found = [
        config.browser_host == config["browser_host"], "ports" in config, "nope" in config,
        sorted(config), len(config) == len(list(config)), config.get("browser_host"),
        dict(config)["server_host"], type(config).__name__,
        sorted(config.as_dict()) == sorted(config), config.ports["http"][0],
        config.all_domains[""][""], config.domains[""][""],
    ]
    for act in [lambda: config["nope"], lambda: config.nope, lambda: config.get("nope", 1),
                lambda: config.__setitem__("a", 1), lambda: setattr(config, "a", 1)]:
        try:
            found.append(act())
        except Exception as error:
            found.append(type(error).__name__)
    return "\n".join(map(repr, found))
