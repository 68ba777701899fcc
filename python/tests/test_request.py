"""MultiDict, request headers, credentials."""

from __future__ import annotations

import copy
import pickle

import pytest

from wptserve.request import Authentication, MultiDict, RequestHeaders, raw_headers
from wptserve.utils import HTTPException


def multidict(*pairs):
    fields = MultiDict()
    for name, value in pairs:
        fields.add(name, value)
    return fields


@pytest.fixture
def fields():
    return multidict((b"a", b"1"), (b"b", b"2"), (b"a", b"3"), (b"\xe9", b"4"))


@pytest.mark.parametrize("key", [b"a", "a"])
def test_multidict_finds_str_and_bytes_keys(fields, key):
    assert fields[key] == fields.first(key) == fields.get(key) == b"1"
    assert fields.last(key) == b"3"
    assert fields.get_list(key) == [b"1", b"3"]
    assert key in fields


def test_multidict_str_keys_are_latin_1(fields):
    assert fields["\xe9"] == b"4"
    assert "\u2603" not in fields
    assert fields.get("\u2603", 7) == 7


def test_multidict_without_the_key(fields):
    assert fields.first(b"x", None) is None
    assert fields.first("x", 5) == 5
    assert fields.last(b"x", default=b"d") == b"d"
    assert fields.get(b"x") is None
    assert fields.get_list("x") == []
    assert b"x" not in fields and None not in fields and 1 not in fields
    for read in (fields.first, fields.last, fields.__getitem__):
        for key in ("x", b"x", "\u2603"):
            with pytest.raises(KeyError) as caught:
                read(key)
            assert caught.value.args == (key,)


def test_multidict_is_a_dict_of_lists(fields):
    expected = {b"a": [b"1", b"3"], b"b": [b"2"], b"\xe9": [b"4"]}
    assert list(fields.items()) == list(expected.items())
    assert list(fields.values()) == list(expected.values())
    assert list(fields) == list(fields.keys()) == list(expected)
    assert fields == expected
    assert fields.pop(b"a") == [b"1", b"3"]
    assert len(fields) == 2


def test_multidict_assignment_replaces(fields):
    fields["a"] = b"9"
    assert dict(fields.items()) == {b"a": [b"9"], b"b": [b"2"], b"\xe9": [b"4"]}
    fields["new"] = 1
    fields.add(b"new", 2)
    assert dict.__getitem__(fields, "new") == [1, 2]
    assert fields[b"new"] == 1


def test_multidict_filled_by_the_engine():
    fields = MultiDict()
    dict.__setitem__(fields, b"a", [b"1"])
    dict.__setitem__(fields, b"empty", [])
    assert fields["a"] == b"1"
    assert fields.first("empty", 3) == 3


def test_multidict_survives_pickling(fields):
    for loaded in (pickle.loads(pickle.dumps(fields)), copy.deepcopy(fields), copy.copy(fields)):
        assert type(loaded) is MultiDict and loaded is not fields and loaded == fields
        assert loaded["a"] == b"1"


@pytest.fixture
def headers():
    found = RequestHeaders()
    dict.__setitem__(found, b"x-a", [b"1"])
    dict.__setitem__(found, b"host", [b"h"])
    return found


@pytest.mark.parametrize("key", ["X-A", b"x-a", "x-a", b"X-a"])
def test_headers_found_in_any_case(headers, key):
    assert headers[key] == headers.get(key) == b"1"
    assert headers.get_list(key) == [b"1"]
    assert key in headers


def test_headers_without_the_name(headers):
    assert headers.get("y") is None
    assert headers.get("y", b"d") == b"d"
    assert headers.get_list("y", []) == []
    assert "y" not in headers
    for read in (headers.get_list, headers.__getitem__):
        with pytest.raises(KeyError) as caught:
            read("Y")
        assert caught.value.args == (b"y",)
    with pytest.raises(UnicodeEncodeError):
        headers.get("\u2603")
    with pytest.raises(TypeError):
        headers[1]


def test_headers_iterate_as_lists(headers):
    assert list(headers.items()) == [(b"x-a", [b"1"]), (b"host", [b"h"])]
    assert list(headers.iteritems()) == [(b"x-a", b"1"), (b"host", b"h")]
    assert list(headers.itervalues()) == [b"1", b"h"]
    assert list(headers) == [b"x-a", b"host"]


def test_headers_are_read_only(headers):
    with pytest.raises(TypeError, match="read-only"):
        headers["a"] = b"b"


def test_headers_survive_pickling(headers):
    loaded = pickle.loads(pickle.dumps(headers))
    assert type(loaded) is RequestHeaders and loaded == headers


def test_headers_of_a_message_keep_the_first_of_a_repeated_field():
    found = RequestHeaders(raw_headers([("A", "1"), ("a", "2"), ("B", "\xe9")]))
    assert dict(found.items()) == {b"a": [b"1"], b"b": [b"\xe9"]}


def test_raw_headers_keep_case_order_and_repeats():
    message = raw_headers([("hOst", "a"), ("X-a", "1 "), ("x-A", "2")])
    assert list(message.raw_items()) == [("hOst", "a"), ("X-a", "1 "), ("x-A", "2")]
    assert str(message) == "hOst: a\nX-a: 1 \nx-A: 2\n\n"
    assert message["X-A"] == message.get("x-a") == "1 "
    assert message.get_all("x-a") == ["1 ", "2"]


RAW = [
    "Host: a\r\nX-A:  v \r\nx-a: \xe9\r\n",
    "Host: a\r\nContent-Type: multipart/form-data; boundary=xx\r\n",
    "Host: a\r\nContent-Type: message/rfc822\r\n",
    "Content-Type: message/delivery-status\r\nX: " + "long " * 40 + "\r\n",
    "Content-Type: text/plain; charset=utf-8\r\nEmpty:\r\n",
]


def test_raw_headers_match_the_reference(reference):
    answers = reference([("raw_headers", (block + "\r\n",)) for block in RAW])
    for block, (items, text) in zip(RAW, answers, strict=True):
        message = raw_headers([tuple(item) for item in items])
        assert [list(item) for item in message.raw_items()] == items, block
        assert str(message) == text


def authentication(value):
    found = RequestHeaders()
    if value is not None:
        dict.__setitem__(found, b"authorization", [value])
    return Authentication(found)


def test_credentials():
    found = authentication(b"Basic dXNlcjpwYTpzcw==")
    assert (found.username, found.password) == (b"user", b"pa:ss")
    found = authentication(None)
    assert (found.username, found.password) == (None, None)


def test_credentials_of_another_scheme():
    with pytest.raises(HTTPException) as caught:
        authentication(b"Bearer x")
    assert caught.value.code == 400
    assert str(caught.value) == "(400, \"Unsupported authentication scheme b'Bearer'\")"


AUTH = [
    "Basic dXNlcjpwYXNz",
    "Basic  dXNlcjo=",
    "basic dXNlcjo=",
    "Basic",
    "Basic dXNlcg==",
    "Basic %%%",
    "Basic dXNlcjpw\xe9",
    "Basic abc",
    "Digest a=b",
    "Basic dXNlcjo6",
]


def test_credentials_match_the_reference(reference):
    for header, expected in zip(AUTH, reference([("auth", (h,)) for h in AUTH]), strict=True):
        try:
            found = authentication(header.encode("latin-1"))
            ours = [found.username.decode("latin-1"), found.password.decode("latin-1")]
        except Exception as error:
            ours = {"raises": type(error).__name__}
            if isinstance(error, HTTPException):
                ours |= {"code": error.code, "text": str(error)}
        assert ours == expected, header
