"""`wptserve wpt`: the environment of a checkout in one process."""

import json
import socket
import time

import pytest

import running
from client import fetch

DOC_ROOT, CONFIG, LISTEN = 3, 5, 4

CONFIG_HANDLER = """
import json

def main(request, response):
    config = request.server.config
    keys = ["browser_host", "ports", "paths", "ws_doc_root", "ws_extra", "aliases"]
    return json.dumps({key: config[key] for key in keys})
"""

WEBSOCKET_HANDLER = """
def web_socket_do_extra_handshake(request):
    pass

def web_socket_transfer_data(request):
    pass
"""

# Every scheme on a free port, so that tests never collide with what else runs.
AUTO = {
    "http": ["auto", "auto"], "https": ["auto", "auto"], "h2": ["auto"],
}


@pytest.fixture
def checkout(tmp_path):
    """A checkout small enough to be seen through."""
    root = tmp_path / "wpt"
    for name, text in {
        "resources/testharness.js": "// testharness\n",
        "resources/webidl2/lib/webidl2.js": "// webidl2\n",
        "config.py": CONFIG_HANDLER,
        "page.html": "<p>page</p>\n",
        "ports.sub.txt": "{{host}} {{ports[http][0]}} {{ports[h2][0]}} {{hosts[alt][www]}}",
        "config.json": json.dumps({"ports": AUTO, "check_subdomains": False}),
        "websockets/handlers/echo_wsh.py": WEBSOCKET_HANDLER,
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.fixture
def serve_wpt(checkout, tmp_path):
    """Starts servers of the checkout, and ends them."""
    started = []

    def start(*options, root=checkout, **how):
        work = tmp_path / f"server{len(started)}"
        work.mkdir()
        how.setdefault("port", None)
        server = running.start(root, work, *options, command="wpt", **how)
        started.append(server)
        return server

    yield start
    for server in started:
        server.end()


def ports_of(server) -> dict[str, list[int]]:
    """The last line of the announcement."""
    return json.loads(server.printed().splitlines()[-1])


def test_the_announcement_ends_with_the_ports(serve_wpt):
    server = serve_wpt()
    ports = ports_of(server)
    assert len(ports["http"]) == 2
    listeners = {(listener["scheme"], listener["port"]) for listener in server.ready["listeners"]}
    assert listeners == {(scheme, port) for scheme, all in ports.items() for port in all}
    assert server.ready["url"] == f"http://web-platform.test:{ports['http'][0]}/"
    assert server.printed().startswith("Serving ")


def test_handlers_and_templates_see_the_real_ports(serve_wpt, checkout):
    server = serve_wpt()
    ports = ports_of(server)
    config = json.loads(fetch(server, "/config.py").body)
    assert config["browser_host"] == "web-platform.test"
    assert {scheme: config["ports"][scheme] for scheme in ports} == ports
    assert config["ports"]["http-private"] == ports["http-local"]
    assert config["paths"]["ws_doc_root"] == str(checkout / "websockets" / "handlers")
    text = fetch(server, "/ports.sub.txt").body.decode()
    host, http, h2, other = text.split()
    assert (host, int(http)) == ("web-platform.test", ports["http"][0])
    assert int(h2) > 0 and other == "www.not-web-platform.test"


def test_every_port_answers(serve_wpt):
    server = serve_wpt()
    for scheme in ("http", "http-local", "http-public"):
        for port in ports_of(server)[scheme]:
            server.port = port
            assert fetch(server, "/page.html").body == b"<p>page</p>\n"


def test_an_empty_list_switches_a_scheme_off(serve_wpt, tmp_path):
    config = tmp_path / "off.json"
    config.write_text(json.dumps({"ports": {"http-local": [], "https": [], "http": ["auto"]}}))
    ports = ports_of(serve_wpt("--config", config))
    assert "http-local" not in ports and "https" not in ports
    assert len(ports["http"]) == 1


def test_old_names_are_taken_with_a_warning(serve_wpt, tmp_path):
    config = tmp_path / "old.json"
    config.write_text(json.dumps({"ports": {"http-private": []}, "log_level": "debug"}))
    server = serve_wpt("--config", config)
    assert "http-local" not in ports_of(server)
    log = server.log()
    assert "the key `ports.http-private` has a new name, `ports.http-local`" in log
    assert "the key `log_level` has a new name, `logging.level`" in log


def test_options_with_underscores_as_wpt_serve_has_them(serve_wpt, checkout, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "x.txt").write_text("other\n")
    handlers = tmp_path / "more handlers"
    handlers.mkdir()
    aliases = tmp_path / "aliases"
    aliases.write_text(f"/other/, {other}\n\n")
    server = serve_wpt(
        "--alias_file", aliases, "--ws_doc_root", handlers, "--ws_extra", other, "--doc_root",
        checkout,
    )
    assert fetch(server, "/other/x.txt").body == b"other\n"
    config = json.loads(fetch(server, "/config.py").body)
    assert config["ws_doc_root"] == str(handlers)
    assert config["ws_extra"] == [str(other)]
    assert config["aliases"] == [{"url-path": "/other/", "local-dir": str(other)}]


def test_the_checkout_of_the_working_directory(serve_wpt, checkout):
    server = serve_wpt(root=None, cwd=checkout / "resources")
    assert fetch(server, "/page.html").status == 200


def test_the_start_page_says_what_is_where(serve_wpt):
    server = serve_wpt()
    announced = server.printed().splitlines()[-2].rpartition(" ")[2]
    assert announced == f"http://127.0.0.1:{ports_of(server)['http'][0]}/.well-known/wptserve/"
    page = fetch(server, "/.well-known/wptserve/").body.decode()
    for ports in ports_of(server).values():
        assert all(str(port) in page for port in ports)
    for text in ("www.not-web-platform.test", "--host-resolver-rules=", "user_pref(", "SPKI hash"):
        assert text in page


def test_exit_after_start(checkout):
    result = running.run("wpt", checkout, "--exit-after-start")
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout.splitlines()[-1])["http"]


def test_latency_is_waited_for(serve_wpt):
    server = serve_wpt("--latency", 300)
    begun = time.monotonic()
    assert fetch(server, "/page.html").status == 200
    assert time.monotonic() - begun >= 0.3


def test_names_that_do_not_resolve_are_a_warning(serve_wpt, checkout):
    config = {"ports": AUTO, "browser_host": "no-such-name.invalid", "subdomains": ["www"]}
    (checkout / "config.json").write_text(json.dumps(config))
    server = serve_wpt()
    running.wait_until(lambda: "do not resolve" in server.log_so_far(), what="the warning")
    assert server.log() == (
        "warning: names: 4 of 4 host names do not resolve here, such as no-such-name.invalid; "
        "`wptserve browser-args` prints the flags with which a browser needs no names, "
        "`wptserve hosts --install` adds them to the hosts file\n"
    )
    assert fetch(server, "/page.html").status == 200


def test_no_checkout(tmp_path):
    error = running.failed(running.run("wpt", tmp_path, cwd=tmp_path), DOC_ROOT)
    assert error == (
        f"{tmp_path} is no checkout of web-platform-tests: it has no resources/testharness.js; "
        "name the checkout, as in `wptserve wpt path/to/wpt`"
    )


def test_a_port_in_use(checkout, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config = tmp_path / "taken.json"
        config.write_text(json.dumps({"ports": {"http": [port]}}))
        error = running.failed(running.run("wpt", checkout, "--config", config), LISTEN)
    assert error.startswith(f"port {port} on 127.0.0.1 is in use by ")


def test_hosts_of_one_site_are_refused(checkout, tmp_path):
    config = tmp_path / "hosts.json"
    config.write_text(json.dumps({"alternate_hosts": {"alt": "www.web-platform.test"}}))
    error = running.failed(running.run("wpt", checkout, "--config", config), CONFIG)
    assert "`alternate_hosts.alt` is `www.web-platform.test`" in error


def test_a_wrong_alias_file(checkout, tmp_path):
    aliases = tmp_path / "aliases"
    aliases.write_text("/a/, /tmp\nnonsense\n")
    error = running.failed(running.run("wpt", checkout, "--alias-file", aliases), CONFIG)
    assert error == f"the alias file {aliases} is wrong in line 2: `/URL_PATH/, DIR` is expected"


def test_a_script_that_cannot_be_read(checkout, tmp_path):
    script = tmp_path / "none.js"
    error = running.failed(running.run("wpt", checkout, "--inject-script", script), 1)
    assert error == f"the script {script} cannot be read: No such file or directory (os error 2)"


def test_webtransport_is_not_there_yet(checkout):
    error = running.failed(running.run("wpt", checkout, "--webtransport-h3"), CONFIG)
    assert error.startswith("`ports.webtransport-h3`: this version does not serve webtransport-h3")
