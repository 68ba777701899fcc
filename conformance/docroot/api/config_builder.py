import logging

from wptserve.config import Config, ConfigBuilder


def main(request, response):
    builder = ConfigBuilder(
        logging.getLogger("conformance"), subdomains={"www", "\xe9l\xe8ve"},
        not_subdomains={"nope"}, browser_host="a.test", alternate_hosts={"alt": "b.test"},
        ports={"http": [81, 82], "https": [443], "ws": [83]}, doc_root="/doc",
    )
    builder.ports["h2"] = [9000]
    with builder as config:
        found = [
            config.browser_host, config.server_host, dict(config.ports), config.domains,
            config.not_domains, config.all_domains, sorted(config.domains_set),
            sorted(config.not_domains_set), sorted(config.all_domains_set), config.paths,
            config.ssl_config, config.logging["level"], sorted(config), builder.browser_host,
        ]
    return "\n".join(repr(_sorted(item)) for item in found)


def _sorted(value):
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return value
