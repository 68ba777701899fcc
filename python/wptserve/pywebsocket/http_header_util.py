"""Reading header fields piece by piece (RFC 2616, section 2.2)."""

from __future__ import annotations

from urllib.parse import urlsplit

from .. import _wptserve

_SEPARATORS = frozenset('()<>@,;:\\"/[]?={} \t')


def _is_token_character(c: str) -> bool:
    return "\x20" < c < "\x7f" and c not in _SEPARATORS


class ParsingState:
    """Text, and how far it has been read."""

    def __init__(self, data: str) -> None:
        self.data = data
        self.head = 0


def peek(state: ParsingState, pos: int = 0) -> str | None:
    """The character `pos` ahead; `None` behind the end."""
    at = state.head + pos
    return state.data[at] if at < len(state.data) else None


def consume(state: ParsingState, amount: int = 1) -> str | None:
    """Takes so many characters; `None`, and none is taken, when there are fewer."""
    end = state.head + amount
    if end > len(state.data):
        return None
    taken, state.head = state.data[state.head : end], end
    return taken


def consume_string(state: ParsingState, expected: str) -> bool:
    """Takes a text, if it comes next."""
    if not state.data.startswith(expected, state.head):
        return False
    state.head += len(expected)
    return True


def consume_lws(state: ParsingState) -> bool:
    """Takes spaces and tabs, with a line end in front or not; False when there are none."""
    start = state.head
    consume_string(state, "\r\n")
    blanks = state.head
    while peek(state) in (" ", "\t"):
        state.head += 1
    if state.head == blanks:
        state.head = start
        return False
    return True


def consume_lwses(state: ParsingState) -> None:
    """Takes all white space."""
    while consume_lws(state):
        pass


def consume_token(state: ParsingState) -> str | None:
    """Takes a token; `None` when none comes next."""
    start = state.head
    while (c := peek(state)) is not None and _is_token_character(c):
        state.head += 1
    return state.data[start : state.head] or None


def consume_token_or_quoted_string(state: ParsingState) -> str | None:
    """Takes a token or a quoted string, whose content is returned; `None` when neither comes."""
    start = state.head
    if not consume_string(state, '"'):
        return consume_token(state)
    result = []
    while True:
        if consume_lws(state):
            result.append(" ")
            continue
        c = consume(state)
        if c == '"':
            return "".join(result)
        if c == "\\":
            c = consume(state)
            good = c is not None and c <= "\x7f"
        else:
            good = c is not None and c > "\x1f" and c != "\x7f"
        if not good:
            state.head = start
            return None
        result.append(c)  # type: ignore[arg-type]


def quote_if_necessary(s: str) -> str:
    """The text between quotes, unless it is a token."""
    return _wptserve.websocket_quote(s)


def parse_uri(uri: str) -> tuple[str | None, int | None, str | None]:
    """Host, port and resource of a ws or wss URL. Anything else is a resource by itself, and a
    malformed URL is three times `None`."""
    nothing = None, None, None
    try:
        parsed = urlsplit(uri)
        if parsed.scheme not in ("ws", "wss"):
            return None, None, uri
        host, port = parsed.hostname, parsed.port
    except ValueError:
        return nothing
    if host is None:
        return nothing
    path = parsed.path or "/"
    if parsed.query:
        path += f"?{parsed.query}"
    if parsed.fragment:
        path += f"#{parsed.fragment}"
    return host, port or (80 if parsed.scheme == "ws" else 443), path
