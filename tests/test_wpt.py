"""`wptserve wpt`: the environment of a checkout in one process."""

import json
import os
import signal
import socket
import subprocess
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


def test_the_ready_file_has_what_browsers_have_to_know(serve_wpt, checkout, tmp_path):
    (checkout / "config.json").write_text(json.dumps(
        {"ports": AUTO, "check_subdomains": False, "subdomains": ["only"]}))
    server = serve_wpt(env={"XDG_DATA_HOME": str(tmp_path / "data")})
    assert server.ready["root"] == str(checkout)
    assert "only.web-platform.test" in server.ready["names"]["domains"]
    by_url = json.loads(fetch(server, "/.well-known/wptserve/ready.json").body)
    assert by_url == server.ready
    url = f"http://{server.host}:{server.port}/.well-known/wptserve/ready.json"
    # Away from the checkout, and with another user's authority.
    for source in (server.work / "ready.json", url):
        result = running.run("browser-args", "firefox", "--ready-file", source, cwd=tmp_path)
        assert "only.web-platform.test" in result.stdout
        assert str(tmp_path / "data") in result.stderr
        result = running.run("browser-args", "chrome", "--ready-file", source, cwd=tmp_path)
        assert server.ready["authority"]["spki_hash"] in result.stdout
        assert result.stderr == ""


def test_the_start_page_says_how_each_browser_comes_there(serve_wpt, tmp_path):
    server = serve_wpt(env={"XDG_DATA_HOME": str(tmp_path / "data")})
    page = fetch(server, "/.well-known/wptserve/").body.decode()
    for part in (
        "browser-args firefox --profile", "certutil -d sql:PROFILE -A", "&quot;Install&quot;",
        "browser-args webkitgtk --profile", "browser-args servo --profile", "Ladybird --cert",
    ):
        assert part in page, part
    # It serves no DNS.
    assert "--dns-server" not in page


def test_away_from_the_checkout_the_lack_of_its_names_is_told(tmp_path):
    for browser in ("chrome", "firefox"):
        result = running.run("browser-args", browser, cwd=tmp_path)
        assert result.stderr.startswith("warning: these are the usual names"), result.stderr


def test_flags_without_a_profile_are_for_tools_that_give_one(tmp_path):
    flags = running.run("browser-args", "chrome", cwd=tmp_path, XDG_CACHE_HOME=str(tmp_path)).stdout
    assert f"--user-data-dir={tmp_path}/wptserve/chromium\n" in flags
    assert ("--no-sandbox" in flags) == (os.geteuid() == 0)
    flags = running.run("browser-args", "chrome", "--no-profile", cwd=tmp_path).stdout
    assert "--host-resolver-rules" in flags and "--user-data-dir" not in flags


def test_as_a_proxy_it_answers_for_its_own_hosts_alone(serve_wpt):
    server = serve_wpt()
    for target, status in (
        (f"http://www1.web-platform.test:{server.port}/page.html", 200),
        ("http://example.com/", 502),
        (f"http://nonexistent.web-platform.test:{server.port}/page.html", 502),
    ):
        assert fetch(server, target).status == status, target


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


WHERE_HANDLER = """
import os

def main(request, response):
    return os.getcwd() + " " + str(os.getpid())
"""


@pytest.mark.parametrize("options", [[], ["--processes", "2"]])
def test_handlers_run_in_the_checkout(serve_wpt, checkout, tmp_path, options):
    (checkout / "where.py").write_text(WHERE_HANDLER)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "more.json").write_text(json.dumps({"browser_host": "own.test"}))
    (elsewhere / "aliases").write_text("/given/, given\n")
    (elsewhere / "given").mkdir()
    (elsewhere / "given" / "x.txt").write_text("given")
    (elsewhere / "inject.js").write_text("injected();")
    server = serve_wpt(
        *options, "--config", "more.json", "--alias-file", "aliases",
        "--inject-script", "inject.js", root="../wpt", cwd=elsewhere,
    )
    first = fetch(server, "/where.py").body.decode()
    assert first.split()[0] == str(checkout.resolve())
    assert fetch(server, "/given/x.txt").body == b"given"
    assert b"injected();" in fetch(server, "/page.html").body
    if options:
        server.process.send_signal(signal.SIGHUP)
        running.wait_until(
            lambda: fetch(server, "/where.py").body.split()[1] != first.split()[1].encode(),
            what="new hosts",
        )
        assert fetch(server, "/where.py").body.startswith(bytes(checkout.resolve()) + b" ")
        assert fetch(server, "/given/x.txt").body == b"given"


def test_a_relative_ready_file_is_where_the_command_was_given(checkout, tmp_path):
    process = subprocess.Popen(
        [running.binary(), "wpt", "wpt", "--ready-file", "ready.json", "--python", running.python()],
        cwd=tmp_path, env=running.environment(), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    try:
        running.wait_until((tmp_path / "ready.json").exists, 20, "the ready file")
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def certified(checkout):
    """The checkout with a key and a certificate where upstream has them."""
    made = checkout.parent / "certified"
    (made / "resources").mkdir(parents=True)
    (made / "resources" / "testharness.js").write_text("")
    base = made / "_certs"
    (made / "config.json").write_text(json.dumps({
        "ports": {"http": ["auto"], "https": []}, "check_subdomains": False,
        "ssl": {"type": "openssl", "openssl": {"base_path": str(base)}},
    }))
    result = running.run("wpt", made, "--exit-after-start", "--python", running.python())
    assert result.returncode == 0, result.stderr
    certs = checkout / "tools" / "certs"
    certs.mkdir(parents=True)
    for ending in ("key", "pem"):
        made_file = (base / f"web-platform.test.{ending}").read_bytes()
        for host in ("web-platform.test", "127.0.0.1"):
            (certs / f"{host}.{ending}").write_bytes(made_file)
    return checkout


@pytest.mark.parametrize("place", ["checkout", "beside"])
def test_the_configuration_of_jsdom_starts_unchanged(certified, serve_wpt, tmp_path, place):
    """Its paths start from the checkout, in which jsdom runs the server; the file is elsewhere."""
    config = tmp_path / "jsdom" / "wpt-config.json"
    config.parent.mkdir()
    config.write_text(json.dumps({
        "browser_host": "web-platform.test", "doc_root": ".", "ws_doc_root": None,
        "server_host": None, "check_subdomains": True, "log_level": "info", "bind_address": True,
        # With its own numbers two servers of the suite would meet.
        "ports": {"http": ["auto", "auto"], "https": ["auto", "auto"], "h2": ["auto"],
                  "ws": ["auto"], "wss": ["auto"]},
        "ssl": {
            "type": "pregenerated", "encrypt_after_connect": False, "none": {},
            "openssl": {"openssl_binary": "openssl", "base_path": "_certs",
                        "force_regenerate": False, "base_conf_path": None},
            "pregenerated": {"host_key_path": "tools/certs/web-platform.test.key",
                             "host_cert_path": "tools/certs/web-platform.test.pem"},
        },
    }))
    cwd = certified if place == "checkout" else config.parent
    server = serve_wpt("--config", config, cwd=cwd)
    assert fetch(server, "/page.html").body == b"<p>page</p>\n"
    assert {"http", "https", "h2", "ws", "wss"} <= set(ports_of(server))


def test_the_configuration_of_chromium_starts_unchanged(certified, serve_wpt, tmp_path):
    """Its paths start from the folder above its copy of the tests, in which it runs the server."""
    for name in ("resources", "wpt_internal", "gen"):
        (tmp_path / name).mkdir()
    (tmp_path / "resources" / "testharnessreport.js").write_text("// of Chromium\n")
    (tmp_path / "wpt_internal" / "x.html").write_text("internal")
    (certified / "resources" / "testharnessreport.js").write_text("// upstream\n")
    config = certified / ".config.json"
    config.write_text(json.dumps({
        "server_host": "127.0.0.1", "check_subdomains": False, "log_level": "DEBUG",
        "bind_address": True,
        "ports": {"http": ["auto", "auto"], "http-private": ["auto"], "http-public": ["auto"],
                  "https": ["auto", None], "h2": [None], "ws": ["auto"], "wss": ["auto"]},
        "ssl": {
            "type": "pregenerated", "encrypt_after_connect": False,
            "pregenerated": {"host_key_path": "wpt/tools/certs/127.0.0.1.key",
                             "host_cert_path": "wpt/tools/certs/127.0.0.1.pem"},
        },
        "aliases": [
            {"url-path": "/gen/", "local-dir": "gen"},
            {"url-path": "/wpt_internal/", "local-dir": "wpt_internal"},
            {"url-path": "/resources/testharnessreport.js", "local-dir": "resources"},
        ],
    }))
    server = serve_wpt("--config", config, "--doc_root", certified, "--no-h2", cwd=tmp_path)
    assert fetch(server, "/page.html").body == b"<p>page</p>\n"
    assert fetch(server, "/resources/testharnessreport.js").body == b"// of Chromium\n"
    assert fetch(server, "/wpt_internal/x.html").body == b"internal"
    seen = json.loads(fetch(server, "/config.py").body)["ports"]
    assert seen["https"] == [ports_of(server)["https"][0], None]


def test_null_is_a_slot_that_is_off(serve_wpt, tmp_path):
    config = tmp_path / "null.json"
    config.write_text(json.dumps({"ports": {"http": ["auto", None], "https": [None, "auto"],
                                            "ws": [None]}}))
    server = serve_wpt("--config", config)
    ports = ports_of(server)
    assert len(ports["http"]) == len(ports["https"]) == 1 and "ws" not in ports
    seen = json.loads(fetch(server, "/config.py").body)["ports"]
    assert seen["https"] == [None, *ports["https"]] and seen["ws"] == [None]


def test_without_tls_nothing_secure_is_served(serve_wpt, tmp_path):
    config = tmp_path / "plain.json"
    config.write_text(json.dumps({"ssl": {"type": "none"}}))
    assert set(ports_of(serve_wpt("--config", config))) == {"http", "http-local", "http-public", "ws"}


def test_the_log_names_a_script_that_loses_metadata_once(serve_wpt, checkout):
    script = checkout / "lost.any.js"
    script.write_bytes(b"// META: title=x\n// META: timeout=long\r\n")
    server = serve_wpt()
    for _ in range(2):
        assert fetch(server, "/lost.any.html").status == 200
        assert fetch(server, "/lost.any.worker.html").status == 200
    [line] = [line for line in server.log().splitlines() if "META" in line]
    assert line.startswith(f"warning: meta: {script}:2: ") and "CR LF" in line


def test_the_doctor_names_each_script_that_loses_metadata(checkout):
    (checkout / "deep").mkdir()
    (checkout / "deep" / "bom.window.js").write_bytes(b"\xef\xbb\xbf// META: title=x\n")
    (checkout / "space.any.js").write_bytes(b"// META: timeout=long \n")
    (checkout / "good.any.js").write_bytes(b"// META: timeout=long\n")
    (checkout / "no_test.js").write_bytes(b"// META: timeout=long \n")
    result = running.run("doctor", checkout, "--json", "--python", running.python())
    found = [f["text"] for f in json.loads(result.stdout) if f["about"] == "metadata"]
    assert [text.split(":")[0] for text in found] == [
        str(checkout / "deep" / "bom.window.js"), str(checkout / "space.any.js"),
    ]
