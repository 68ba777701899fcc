"""The config that a real tree is served with: hosts, subdomains, and ports of every kind."""

_LABELS = ["www", "www1", "www2", "\u5929\u6c17\u306e\u826f\u3044\u65e5", "\u00e9l\u00e8ve"]

CONFIG = {
    "browser_host": "web-platform.test",
    "alternate_hosts": {"alt": "not-web-platform.test"},
    "subdomains": _LABELS + [f"{one}.{two}" for one in _LABELS for two in _LABELS],
    "not_subdomains": ["nonexistent"],
    # Named but not listened on; each server has two ports of its own for `http`.
    "ports": {
        "http-private": [38002], "http-public": [38003],
        "https": [38443, 38444], "https-private": [38445], "https-public": [38446],
        "ws": [38666], "wss": [38667], "h2": [38900],
    },
    "ssl": {
        "type": "pregenerated",
        "encrypt_after_connect": False,
        "none": {},
        "openssl": {
            "openssl_binary": "openssl", "base_path": "_certs", "password": "web-platform-tests",
            "force_regenerate": False, "duration": 30, "base_conf_path": None,
        },
        "pregenerated": {"host_key_path": "/no/key.pem", "host_cert_path": "/no/cert.pem"},
    },
    "check_subdomains": False,
    "aliases": [{"url-path": "/alias/", "local-dir": "."}],
}

# The same hosts for an environment; its other ports are those of no scheme.
ENVIRONMENT_CONFIG = {
    key: CONFIG[key]
    for key in ("browser_host", "alternate_hosts", "check_subdomains", "aliases")
} | {
    "ports": {
        scheme: []
        for scheme in (
            "http-local", "http-public", "https", "https-local", "https-public", "h2", "ws", "wss",
            "webtransport-h3", "dns",
        )
    },
}
