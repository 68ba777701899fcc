"""The Range header."""

from __future__ import annotations

import pytest

from wptserve.ranges import Range, RangeParser
from wptserve.utils import HTTPException


def parse(header, size=100):
    return [(item.lower, item.upper) for item in RangeParser()(header, size)]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"bytes=0-9", [(0, 10)]),
        (b"bytes=5-", [(5, 100)]),
        (b"bytes=-5", [(95, 100)]),
        (b"bytes=-500", [(0, 100)]),
        (b"bytes=90-500", [(90, 100)]),
        (b"bytes=-", [(0, 100)]),
        (b"bytes=50-59,0-9", [(0, 10), (50, 60)]),
        (b"bytes=0-9,10-19", [(0, 20)]),
        (b"bytes=0-9,11-19", [(0, 10), (11, 20)]),
        (b"bytes=0-50,40-60", [(0, 61)]),
    ],
)
def test_ranges(header, expected):
    assert parse(header) == expected


def test_a_range_over_several_others_is_merged_with_the_nearest_only():
    assert parse(b"bytes=0-50,20-30,40-60") == [(0, 51), (40, 61)]


@pytest.mark.parametrize(
    "header",
    [
        b"bytes=100-",
        b"bytes=9-5",
        b"bytes=x-",
        b"bytes=1",
        b"bytes=1-2-3",
        b"bytes=",
        b"bytes=-0",
        b"lines=1-2",
        b"bytes=0-1,x",
    ],
)
def test_bad_ranges(header):
    with pytest.raises(HTTPException) as caught:
        parse(header)
    assert caught.value.code == 416


def test_range_that_is_not_ascii():
    with pytest.raises(HTTPException) as caught:
        parse(b"bytes=\xe9")
    assert str(caught.value) == "(400, 'Non-ASCII range header value')"


def test_range_object():
    item = Range(0, 9, 100)
    assert item.header_value() == "bytes 0-9/100"
    assert repr(item) == "<Range 0-10>"
    assert item == Range(None, 100, 10) and item < Range(1, 1, 100) and Range(1, 1, 100) > item
    assert item.coalesce(Range(20, 29, 100)) == [item, Range(20, 29, 100)]


HEADERS = [
    "bytes=0-9",
    "bytes=5-",
    "bytes=-5",
    "bytes=-",
    "bytes= 1 - 2 ",
    "bytes=+1-2",
    "bytes=1_0-20",
    "bytes=0-9,10-19,30-31",
    "bytes=30-31,0-9,5-12",
    "bytes=0-0,2-2,1-1",
    "bytes=0-9,0-4,0-12",
    "bytes=99-",
    "bytes=100-",
    "bytes=1-0",
    "bytes=-0",
    "bytes=,",
    "bytes=1-2,",
    "Bytes=1-2",
    "bytes=\xe9",
    "x",
    "",
    "bytes=5-5,3-3,1-1,2-2",
    "bytes=0-50,20-30,40-60",
]


def test_ranges_match_the_reference(reference):
    cases = [("ranges", (header, size)) for header in HEADERS for size in (0, 1, 10, 100)]
    for (_, (header, size)), expected in zip(cases, reference(cases), strict=True):
        try:
            found = RangeParser()(header.encode("latin-1"), size)
            ours = [[item.lower, item.upper, item.header_value()] for item in found]
        except HTTPException as error:
            ours = {"raises": "HTTPException", "code": error.code, "text": str(error)}
        assert ours == expected, (header, size)
