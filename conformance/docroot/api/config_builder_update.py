import logging

from wptserve.config import ConfigBuilder


def main(request, response):
    found = []
    builder = ConfigBuilder(logging.getLogger("conformance"), doc_root="/doc")
    builder.update({"host": "old.test", "ports": {"http": [1], "new": [2]},
                    "logging": {"level": "info"}, "external_host": "server.test"})
    builder.check_subdomains = False
    with builder as config:
        found += [config.browser_host, config.server_host, dict(config.ports), config.logging,
                  config.check_subdomains]
    for act in [lambda: builder.update({"nope": 1}), lambda: builder.nope,
                lambda: ConfigBuilder(logging.getLogger("x"), nope=1)]:
        try:
            found.append(act())
        except Exception as error:
            found.append(type(error).__name__)
    return "\n".join(map(repr, found))
