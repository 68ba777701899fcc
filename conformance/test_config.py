"""Servers with a config: hosts, subdomains and ports, in templates and in handlers."""

from case import get, parametrize, request, send
from docroot_templates import BAD_CONFIGURED_TEMPLATES, CONFIGURED_TEMPLATES
from test_python_api import CONFIG_KEYS

_PLACE = "/templates/configured"

TEMPLATES = [
    get(f"config-{name}", f"{_PLACE}/{name}.sub.txt?a=b") for name in CONFIGURED_TEMPLATES
] + [
    get(f"config-fails-{name}", f"{_PLACE}/bad/{name}.sub.txt") for name in BAD_CONFIGURED_TEMPLATES
] + [
    get("config-headers-file", f"{_PLACE}/headers.txt"),
    send("config-host-of-another-request", request(f"{_PLACE}/host.sub.txt", host=b"other:81")),
    send("config-location", request("/templates/location.sub.txt", host=b"www.web-platform.test")),
    get("config-redirect", "/static/sub"),
    get("config-static", "/static/page.html"),
]

HANDLERS = [
    *[get(f"config-handler-{key.replace('_', '-')}", f"/api/config.py?{key}")
      for key in CONFIG_KEYS],
    get("config-handler-access", "/api/config_access.py"),
]


@parametrize(TEMPLATES)
def test_templates(configured_pair, case):
    configured_pair.check(case)


@parametrize(HANDLERS)
def test_handlers(configured_pair, case):
    configured_pair.check(case)
