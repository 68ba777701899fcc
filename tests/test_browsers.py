"""Firefox and WebKitGTK reach the environment with what `wptserve browser-args` prints."""

import json
import pathlib
import shutil
import subprocess

import pytest

import browsers
import running
from test_wpt import AUTO, checkout  # noqa: F401  (a fixture)

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")

# Says in its title what it has found.
PAGE = """<!doctype html>
<script>
(async () => {{
  try {{
    document.title = "told " + await ({found});
  }} catch (error) {{
    document.title = "told " + error;
  }}
}})();
</script>
"""
SOCKET = """new Promise((resolve, reject) => {{
  const socket = new WebSocket("{url}");
  socket.onopen = () => socket.send("over {url}".slice(0, 8));
  socket.onmessage = event => resolve(event.data);
  socket.onerror = () => reject("no socket");
}})"""
FETCH = 'fetch("{url}", {{mode: "cors"}}).then(answer => answer.text())'
ECHO = """
def web_socket_do_extra_handshake(request):
    pass

def web_socket_transfer_data(request):
    request.ws_stream.send_message(request.ws_stream.receive_message())
"""
HANDLER = """
def main(request, response):
    return [("Access-Control-Allow-Origin", "*")], request.url_parts.netloc.split(":")[0]
"""
# By name: from where the page is loaded, what it looks at, what that is.
PAGES = {
    "host": ("http", "", "location.hostname", "web-platform.test"),
    "label": ("http", "www1.", "location.hostname", "www1.web-platform.test"),
    "secure": ("https", "", "isSecureContext", "true"),
    "secure-label": ("https", "www.", "location.hostname", "www.web-platform.test"),
    "h2": ("h2", "", "performance.getEntriesByType('navigation')[0].nextHopProtocol", "h2"),
    "fetch": ("http", "", FETCH.format(url="http://{{domains[www2]}}:{{ports[http][0]}}/where.py"),
              "www2.web-platform.test"),
    "fetch-secure": ("https", "",
                     FETCH.format(url="https://{{domains[www1]}}:{{ports[https][0]}}/where.py"),
                     "www1.web-platform.test"),
    "alternate": ("https", "",
                  FETCH.format(url="https://{{hosts[alt][]}}:{{ports[https][1]}}/where.py"),
                  "not-web-platform.test"),
    "ws": ("http", "", SOCKET.format(url="ws://{{domains[www]}}:{{ports[ws][0]}}/echo"),
           "over ws:"),
    "wss": ("https", "", SOCKET.format(url="wss://{{domains[www]}}:{{ports[wss][0]}}/echo"),
            "over wss"),
}
TITLE = "document.title.startsWith('told ') ? document.title.slice(5) : null"


@pytest.fixture
def server(checkout, tmp_path):  # noqa: F811
    """A server of the pages, with a new authority for it."""
    for name, (_, _, found, expected) in PAGES.items():
        (checkout / f"{name}.sub.html").write_text(PAGE.format(found=found))
    (checkout / "where.py").write_text(HANDLER)
    (checkout / "websockets/handlers/echo_wsh.py").write_text(ECHO)
    config = {"ports": {**AUTO, "ws": ["auto"], "wss": ["auto"]}, "check_subdomains": False}
    (checkout / "config.json").write_text(json.dumps(config))
    work = tmp_path / "server"
    work.mkdir()
    data = {"XDG_DATA_HOME": str(tmp_path / "data")}
    server = running.start(checkout, work, command="wpt", port=None, env=data)
    yield server
    server.end()


def printed(server, browser: str, profile: pathlib.Path) -> list[str]:
    """The words that the command prints, which is run away from the checkout."""
    result = running.run(
        "browser-args", browser, "--json", "--for-tests", "--profile", profile,
        "--ready-file", server.work / "ready.json", cwd=profile.parent,
    )
    assert (result.returncode, result.stderr) == (0, "")
    return json.loads(result.stdout)


def outcomes(browser, server) -> dict[str, str | None]:
    """What each page says."""
    ports: dict[str, int] = {}
    for entry in server.ready["listeners"]:
        ports.setdefault(entry["scheme"], entry["port"])
    found = {}
    for name, (scheme, label, _, _) in PAGES.items():
        url_scheme = "http" if scheme == "http" else "https"
        url = f"{url_scheme}://{label}web-platform.test:{ports[scheme]}/{name}.sub.html"
        found[name] = browsers.told(browser, url, TITLE, 15)
    return found


EXPECTED = {name: expected for name, (_, _, _, expected) in PAGES.items()}


def test_a_profile_of_firefox_keeps_its_lines_and_trusts_the_authority(server, tmp_path):
    if lacking := browsers.missing("certutil"):
        pytest.skip(lacking)
    profile = tmp_path / "profile"
    profile.mkdir()
    mine = 'user_pref("mine", 1);\n'
    (profile / "user.js").write_text(mine)
    first = printed(server, "firefox", profile)
    text = (profile / "user.js").read_text()
    assert first == ["--profile", str(profile)]
    assert text.startswith(mine) and "network.dns.localDomains" in text
    # Once more, on a profile that has both.
    assert printed(server, "firefox", profile) == first
    assert (profile / "user.js").read_text() == text
    listed = subprocess.run(["certutil", "-L", "-d", f"sql:{profile}"],
                            check=True, capture_output=True, text=True).stdout
    assert [line.split()[-1] for line in listed.splitlines() if "wptserve" in line] == ["C,,"]


def test_policies_of_firefox_name_the_certificate(server, tmp_path):
    result = running.run("browser-args", "firefox", "--policies",
                         "--ready-file", server.work / "ready.json", cwd=tmp_path)
    installed = json.loads(result.stdout)["policies"]["Certificates"]["Install"]
    assert installed == [server.ready["authority"]["file"]]
    assert pathlib.Path(installed[0]).is_relative_to(tmp_path / "data")


def test_firefox_runs_pages_with_the_printed_settings_alone(server, tmp_path):
    if lacking := (browsers.missing("certutil") or (not FIREFOX and "Firefox is not installed")):
        pytest.skip(lacking)
    arguments = printed(server, "firefox", tmp_path / "profile")
    with browsers.firefox(FIREFOX, arguments, tmp_path) as browser:
        assert outcomes(browser, server) == EXPECTED


def test_webkitgtk_runs_pages_with_the_printed_settings_alone(server, tmp_path):
    if lacking := browsers.missing("WebKitWebDriver", "bwrap", "Xvfb"):
        pytest.skip(lacking)
    if not browsers.MINI_BROWSERS:
        pytest.skip("MiniBrowser is not installed")
    command = printed(server, "webkitgtk", tmp_path / "profile")
    program = command.index("MiniBrowser")
    with browsers.webkitgtk(command[:program], tmp_path) as browser:
        found = outcomes(browser, server)
    # The protocol of a page's own load is not told.
    assert {**found, "h2": EXPECTED["h2"]} == EXPECTED
    assert found["h2"] is not None
