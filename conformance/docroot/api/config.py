"""One key of the config, as a handler sees it; what has no order is sorted."""


def main(request, response):
    return repr(_sorted(request.server.config[request.url_parts.query]))


def _sorted(value):
    if isinstance(value, dict):
        # Asking for the ports of a scheme that has none leaves an empty list behind.
        return {key: _sorted(value[key]) for key in sorted(value) if value[key] != []}
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return value
