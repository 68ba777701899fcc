import logging

from wptserve.config import ConfigBuilder


def main(request, response):
    builder = ConfigBuilder(logging.getLogger("conformance"), doc_root="/doc",
                            ports={"http": [80, "auto"], "ws": ["auto"]})
    with builder as config:
        ports = config.ports
    return repr([ports["http"][0], type(ports["http"][1]).__name__, len(ports["http"]),
                 1024 < ports["ws"][0] < 65536, ports["http"][1] != ports["ws"][0]])
