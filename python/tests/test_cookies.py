"""Cookies, received and sent."""

from __future__ import annotations

import random
from datetime import datetime, timedelta, timezone
from http.cookies import CookieError
from types import SimpleNamespace

import pytest

from wptserve import _cookies
from wptserve.request import parse_cookies
from wptserve.response import ResponseHeaders, cookie_header, unset_cookie


def test_cookies_by_name():
    cookies = parse_cookies(b'a=1; b="two"; a=3')
    assert cookies["a"] == cookies[b"a"] == cookies.first("a") == cookies.get(b"a") == b"3"
    assert cookies.get_list("b") == [b'"two"']
    assert list(cookies) == [b"a", b"b"]
    assert "c" not in cookies and cookies.get("c", 4) == 4
    with pytest.raises(KeyError, match="'c'"):
        cookies["c"]


def test_cookie_value():
    cookies = parse_cookies(b"a=1; path=/p; c=1")
    cookie = cookies["a"]
    assert (cookie.key, cookie.value, cookie.path) == ("a", b"1", "/p")
    assert (cookie.expires, cookie.comment, cookie.domain, cookie.max_age) == ("", "", "", "")
    assert (cookie.secure, cookie.version, cookie.httponly) == ("", "", "")
    assert str(cookie) == "a=1; Path=/p"
    assert cookie == cookies["c"] and cookie == b"1" and cookie != b"2" and cookie != "1"


def test_no_cookies():
    assert parse_cookies(None) == parse_cookies(b"") == {}


def test_cookies_end_at_an_illegal_character():
    assert list(parse_cookies(b"a=1; b=\xe9; c=2")) == [b"a"]


RECEIVED = [
    "",
    "a=1",
    "a=1; a=2",
    'a="q\\"x"; b=c',
    "a=1;b=2",
    "a=1, b=2",
    "a",
    "a; b=1",
    "=x",
    "a=1; path=/; max-age=5; secure; httponly; b=2",
    "$Version=1; a=b; $Path=/x",
    "a=\xe9; b=1",
    "a=1; b=\xe9",
    "a=b=c",
    "a={x}",
    " a = 1 ",
    "a=1; expires=Wed, 09 Nov 2099",
    "a b=1; c=2",
    "a=1;;b=2",
    "domain=x",
    "a=%41",
    "a=1; comment=hi; domain=.x; version=1",
]


def test_received_cookies_match_the_reference(reference):
    answers = reference([("cookies", (header,)) for header in RECEIVED])
    for header, expected in zip(RECEIVED, answers, strict=True):
        ours = [
            [
                str(item),
                item.key,
                item.value.decode("latin-1"),
                item.expires,
                item.path,
                item.comment,
                item.domain,
                item.max_age,
                item.secure,
                item.version,
                item.httponly,
            ]
            for values in parse_cookies(header.encode("latin-1")).values()
            for item in values
        ]
        assert ours == expected, header


PIECES = ["a=1", "a=", "b-_9=x.y%", "a", "path=/", "Secure", "$x=1", "=", ";", "; ", " ", ",", '"', "\xe9", "["]


def test_plain_cookies_are_read_as_all_are(monkeypatch):
    dice = random.Random(8)
    fields = ["".join(dice.choices(PIECES, k=dice.randrange(1, 6))) for _ in range(5000)]
    plain = [field for field in fields if _cookies.plain_cookies(field) is not None]
    assert 300 < len(plain) < 4700

    def seen(field):
        cookies = parse_cookies(field.encode("latin-1"))
        each = [(c.key, c.value, c.path, c.secure, str(c)) for [c] in cookies.values()]
        return list(cookies), each

    found = [seen(field) for field in plain]
    monkeypatch.setattr(_cookies, "plain_cookies", lambda field: None)
    for field, ours in zip(plain, found, strict=True):
        assert ours == seen(field), field


def test_plain_cookies_are_written_as_all_are(monkeypatch):
    dice = random.Random(8)
    texts = ["", "/", "a b", 'q"x', "\xe9", "a;b", "1", "\x7f"]

    def some(names):
        return {name: dice.choice(texts) for name in names if dice.random() < 0.5}

    sent = []
    for _ in range(2000):
        attributes = some(["domain", "path", "samesite"]) | {"secure": dice.random() < 0.5}
        if dice.random() < 0.3:
            attributes["max_age"] = dice.randrange(9)
        name = dice.choice(["a", "a-1", "path", "a.b", "a b"])
        sent.append({"name": name, "value": dice.choice(texts), **attributes})

    def written(keywords):
        try:
            return cookie_header(**keywords)
        except CookieError as error:
            return str(error)

    found = [written(keywords) for keywords in sent]
    monkeypatch.setattr(_cookies, "_is_plain_name", lambda name: False)
    for keywords, ours in zip(sent, found, strict=True):
        assert ours == written(keywords), keywords


def test_cookie_attributes_are_in_alphabetical_order():
    cookie = cookie_header(
        b"n",
        b"v",
        domain="d",
        max_age=timedelta(minutes=1),
        expires=datetime(2026, 11, 4, 1, 2, 3),
        samesite="lax",
        secure=True,
        httponly=True,
        comment="c",
    )
    assert cookie == (
        "n=v; Comment=c; Domain=d; expires=04 nov 2026 01:02:03 GMT; HttpOnly; "
        "Max-Age=60; Path=/; SameSite=lax; Secure"
    )


def test_cookie_deletion():
    start, expires, end = cookie_header("n", None).split("; ", 2)
    assert (start, end) == ("n=", "Max-Age=0; Path=/")
    moment = datetime.strptime(expires, "expires=%d %b %Y %H:%M:%S GMT").replace(
        tzinfo=timezone.utc
    )
    assert timedelta(hours=23) < datetime.now(timezone.utc) - moment < timedelta(hours=25)


@pytest.mark.parametrize("name", ["", "a b", "path", "a=b"])
def test_cookie_of_an_impossible_name(name):
    with pytest.raises(CookieError):
        cookie_header(name, "v")


SENT = [
    {"name": "a", "value": "b"},
    {"name": "a", "value": "\xe9 x"},
    {"name": "a", "value": "1", "path": None, "secure": True},
    {"name": "a", "value": "1", "path": "/x", "domain": ".d", "comment": "c d", "httponly": True},
    {"name": "a", "value": "1", "expires_at": [2026, 11, 24, 16, 24, 38]},
    {"name": "a", "value": "1", "expires_at": [1999, 2, 3, 4, 5, 6], "max_age": 0},
    {"name": "a", "value": "1", "max_age": 1.9},
    {"name": "a", "value": "1", "max_age": -5, "samesite": "Strict"},
    {"name": "a", "value": "1", "max_age_seconds": 90061.5},
    {"name": "a", "value": 1},
    {"name": "a", "value": "1", "max_age": "5"},
    {"name": "a", "value": "1", "expires": "today"},
    {"name": "a;", "value": "1"},
    {"name": "expires", "value": "1"},
]


def test_sent_cookies_match_the_reference(reference):
    answers = reference([("set_cookie", (keywords,)) for keywords in SENT])
    for keywords, expected in zip(SENT, answers, strict=True):
        keywords = dict(keywords)
        if "expires_at" in keywords:
            keywords["expires"] = datetime(*keywords.pop("expires_at"))
        if "max_age_seconds" in keywords:
            keywords["max_age"] = timedelta(seconds=keywords.pop("max_age_seconds"))
        try:
            ours = [cookie_header(**keywords)]
        except Exception as error:
            ours = {"raises": type(error).__name__}
        assert ours == expected, keywords


def response_with(*cookies):
    headers = ResponseHeaders()
    headers.set("X-Before", "1")
    for cookie in cookies:
        headers.append("Set-cookie", cookie)
    headers.set("X-After", "2")
    return SimpleNamespace(headers=headers)


@pytest.mark.parametrize("name", ["a", b"a"])
def test_unset_cookie_keeps_the_others(name):
    response = response_with("a=1; Path=/", 'b="2" ; path=/; Odd', "a=3", "ab=4")
    unset_cookie(response, name)
    assert list(response.headers) == [
        (b"X-Before", b"1"),
        (b"Set-cookie", b'b="2" ; path=/; Odd'),
        (b"Set-cookie", b"ab=4"),
        (b"X-After", b"2"),
    ]


def test_unset_cookie_of_the_only_one():
    response = response_with("a=1")
    unset_cookie(response, "a")
    assert list(response.headers) == [(b"X-Before", b"1"), (b"X-After", b"2")]


def test_unset_cookie_that_is_not_set():
    response = response_with("b=1")
    unset_cookie(response, "a")
    assert list(response.headers) == [
        (b"X-Before", b"1"),
        (b"Set-cookie", b"b=1"),
        (b"X-After", b"2"),
    ]
    response = response_with()
    unset_cookie(response, "a")
    assert list(response.headers) == [(b"X-Before", b"1"), (b"X-After", b"2")]
