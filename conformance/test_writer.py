"""`response.writer`: every method, in every order, and methods replaced on the instance."""

import uuid

from case import get, parametrize, post, request, send, steps, until
from wire import Connection, Step, exchange

WRITER = [
    get(f"writer-{name.replace('_', '-')}", f"/writer/{name}.py")
    for name in [
        "write_raw_response", "write_raw_response_close", "write_raw_line_feeds",
        "write_arbitrary", "write_left_open", "write_str_encoded", "write_int", "write_none",
        "write_then_return", "write_empty_then_return", "status_only", "status_message",
        "status_bytes_message", "status_str_code", "status_unknown", "header_only",
        "header_types", "header_none", "header_list", "header_repeated", "header_own_defaults",
        "status_after_header", "end_headers_only", "end_headers_twice",
        "end_headers_with_content", "end_headers_no_defaults", "default_headers", "content",
        "content_str", "content_twice", "content_after_status", "content_after_header",
        "content_after_end", "content_with_length", "content_short", "content_long",
        "content_int", "content_empty", "content_list", "content_file", "content_file_method",
        "content_file_small_chunks", "raw_content", "raw_content_none", "return_values",
        "attributes", "default_status", "encode_error", "wfile", "flush",
    ]
]

CHUNKED = [
    get(f"writer-{name.replace('_', '-')}", f"/writer/{name}.py")
    for name in ["chunked", "chunked_response_headers", "chunked_broken", "interim", "interim_raw"]
]

REPLACED = [
    get(f"writer-{name.replace('_', '-')}", f"/writer/{name}.py")
    for name in ["replaced_write", "replaced_write_upper", "replaced_write_content",
                 "replaced_end_headers", "replaced_response_write", "replaced_version_string",
                 "subclass"]
]

HANDLER_PATH = "/writer/handler"
HANDLER = [
    get(f"writer-handler-{name.replace('_', '-')}", f"{HANDLER_PATH}/{name}.py")
    for name in [
        "response", "response_whole", "interim", "interim_twice", "buffered", "never_flushed",
        "send_error", "send_error_alone", "connection", "close_connection",
        "close_connection_twice", "header_close", "version_string", "log", "wfile_lines",
        "wfile_str", "wfile_then_return", "fails_after", "replaced",
    ]
] + [
    get(
        "writer-handler-attributes", f"{HANDLER_PATH}/attributes.py?q=1", ("X-A", "1"), ("x-a", "2")
    ),
    get("writer-handler-attributes-close", f"{HANDLER_PATH}/attributes.py", ("Connection", "close")),
    send(
        "writer-handler-attributes-1.0", request(f"{HANDLER_PATH}/attributes.py", version="HTTP/1.0")
    ),
    send("writer-handler-response-1.0", request(f"{HANDLER_PATH}/response.py", version="HTTP/1.0")),
    send("writer-handler-interim-head", request(f"{HANDLER_PATH}/interim.py", "HEAD")),
    post("writer-handler-body", f"{HANDLER_PATH}/body.py", b"first line\nand more"),
    steps(
        "writer-handler-connection-receives", [b"GET"],
        (request(f"{HANDLER_PATH}/connection_receives.py"), 1), (b"one two!", 1),
    ),
]

HEAD = [
    send(f"head-writer-{name.replace('_', '-')}", request(f"/writer/{name}.py", "HEAD"))
    for name in ["head_writes", "content", "content_after_end", "write_raw_response", "chunked"]
]


@parametrize(WRITER)
def test_writer(pair, case):
    pair.check(case)


@parametrize(CHUNKED)
def test_chunked_and_interim(pair, case):
    pair.check(case)


@parametrize(REPLACED)
def test_replaced_methods(pair, case):
    pair.check(case)


@parametrize(HANDLER)
def test_handler_of_http_server(pair, case):
    pair.check(case)


@parametrize(HEAD)
def test_head(pair, case):
    pair.check(case)


def test_what_is_written_is_sent_while_the_handler_goes_on(server):
    with Connection(server.address) as connection:
        connection.send(request("/writer/slow_parts.py"))
        arrived = []
        while not connection.received.endswith(b"end") and connection.read(2.0):
            body = connection.received.partition(b"\r\n\r\n")[2]
            if body and body not in arrived:
                arrived.append(body)
    assert arrived == [b"one", b"onetwo", b"onetwoend"]


def test_write_is_false_once_the_peer_has_gone(server):
    key = uuid.uuid4().hex
    with Connection(server.address) as connection:
        connection.send(request(f"/writer/until_gone.py?key={key}"))
        until(lambda: connection.read(0.1) and b"xxx" in connection.received)
    take = request(f"/stash/take.py?key={key}&path=/writer/")
    assert until(
        lambda: b"'gone'" in exchange(server.address, [Step(take)], [b"GET"], probe=False).raw
    )
