"""The gate of the Autobahn cases: none fails, and each is as strict as it was.

`autobahn_results.json` has the expected verdicts. To write it anew after a change that is meant:
`AUTOBAHN_WRITE=1 pytest test_autobahn.py`.
"""

import concurrent.futures
import json
import os
import pathlib

import autobahn
import websocket_servers

RESULTS = pathlib.Path(__file__).with_name("autobahn_results.json")


def test_no_case_fails(tmp_path):
    with websocket_servers.start_ours(websocket_servers.HANDLERS, tmp_path) as server:
        # Several at once, as their clients mostly wait.
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            futures = {case.id: pool.submit(case.run, server.address) for case in autobahn.cases()}
            results = {id: future.result() for id, future in futures.items()}
    if os.environ.get("AUTOBAHN_WRITE"):
        RESULTS.write_text(json.dumps(results, indent=0) + "\n")
    assert {id: r for id, r in results.items() if r not in ("OK", "NON-STRICT")} == {}
    assert results == json.loads(RESULTS.read_text())
