"""Request bodies as forms: URL-encoded, multipart, and what is neither."""

from __future__ import annotations

import random
import time
from io import BytesIO

import pytest

from wptserve.cgi import FieldStorage, MiniFieldStorage
from wptserve.forms import parse_post

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"


def post(body, content_type=MULTIPART, method="POST"):
    source = BytesIO(body)
    kind = None if content_type is None else content_type.encode("latin-1")
    return parse_post(source, method, kind, len(body))


def part(disposition, content, *fields, end="\r\n"):
    lines = ["--b", f"Content-Disposition: form-data; {disposition}", *fields, "", content, ""]
    return end.join(lines).encode("latin-1")


FINAL = b"--b--\r\n"


def test_urlencoded_fields_in_order_of_arrival():
    fields = post(b"z=1&a=%e9+x&z=2&empty=&none&&bad=%zz%4&semi=a;b", URLENCODED)
    assert list(fields.items()) == [
        (b"z", [b"1", b"2"]),
        (b"a", [b"\xe9 x"]),
        (b"empty", [b""]),
        (b"none", [b""]),
        (b"bad", [b"%zz%4"]),
        (b"semi", [b"a;b"]),
    ]


def test_post_without_content_type_is_urlencoded():
    assert post(b"a=1", None) == {b"a": [b"1"]}


def test_other_methods_without_content_type_are_no_form():
    assert post(b"", None, "PUT") == {}
    with pytest.raises(TypeError):
        post(b"a=1", None, "PUT")
    assert post(b"a=1", URLENCODED, "PUT") == {b"a": [b"1"]}


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/json", "", "Multipart/form-data; boundary=b"]
)
def test_a_body_that_is_no_form(kind):
    with pytest.raises(TypeError) as caught:
        post(b"{}", kind)
    assert str(caught.value) == "write() argument must be str, not bytes"
    assert post(b"", kind) == {}


@pytest.mark.parametrize("method", ["GET", "HEAD", "get"])
def test_get_with_a_body_has_no_fields(method):
    assert post(b"a=1", URLENCODED, method) == {}


def test_the_input_is_left_where_it_was():
    source = BytesIO(b"a=1&b=2")
    source.seek(3)
    assert parse_post(source, "POST", None, 7) == {b"a": [b"1"], b"b": [b"2"]}
    assert source.tell() == 3


def test_multipart_fields_and_files():
    body = (
        part('name="z"', "1")
        + part('name="f"; filename="n.txt"', "x\r\ny", "Content-Type: text/html; charset=a")
        + part('name="z"', "2\xe9")
        + FINAL
    )
    fields = post(body)
    assert list(fields) == [b"z", b"f"]
    assert fields.get_list("z") == [b"1", b"2\xe9"]
    upload = fields["f"]
    assert isinstance(upload, FieldStorage)
    assert (upload.name, upload.filename, upload.value) == ("f", "n.txt", b"x\r\ny")
    assert upload.file.read(2) == b"x\r"
    assert upload.value == b"x\r\ny" and upload.file.tell() == 0
    assert (upload.type, upload.type_options) == ("text/html", {"charset": "a"})
    assert upload.disposition == "form-data"
    assert upload.disposition_options == {"name": "f", "filename": "n.txt"}
    assert upload.headers["content-TYPE"] == "text/html; charset=a"
    assert upload.headers["X"] is None
    assert upload.list is None
    assert repr(upload) == "FieldStorage('f', 'n.txt', b'x\\r\\ny')"


def test_a_file_is_no_container():
    upload = post(part('name="f"; filename="n"', "x") + FINAL)["f"]
    for use in (
        bool,
        len,
        list,
        lambda fs: "a" in fs,
        lambda fs: fs["a"],
        lambda fs: fs.keys(),
        lambda fs: fs.getvalue("a"),
        lambda fs: fs.getfirst("a"),
        lambda fs: fs.getlist("a"),
    ):
        with pytest.raises(TypeError):
            use(upload)
    with upload:
        pass
    assert upload.file.closed


def test_a_file_with_an_inner_multipart_is_a_container():
    inner = (
        '--i\r\nContent-Disposition: x; name="a"\r\n\r\n1\r\n'
        '--i\r\nContent-Disposition: x; name="a"\r\n\r\n2\r\n'
        '--i\r\nContent-Disposition: x; name="c"\r\n\r\n\xe93\r\n--i--'
    )
    body = part('name="f"; filename="n"', inner, "Content-Type: multipart/mixed; boundary=i")
    fields = post(body + part('name="swallowed"', "1") + FINAL)
    assert list(fields) == [b"f"]
    upload = fields["f"]
    assert upload.file is None and upload.value is upload.list and upload
    assert upload.keys() == list(upload) == ["a", "c"] and len(upload) == 2 and "a" in upload
    assert upload.getlist("a") == upload.getvalue("a") == ["1", "2"]
    assert upload.getfirst("a") == "1" and upload.getvalue("c") == upload["c"].value == "\xe93"
    assert upload.getvalue("x", 1) == upload.getfirst("x", 1) == 1 and upload.getlist("x") == []
    assert [item.value for item in upload["a"]] == ["1", "2"]
    with pytest.raises(KeyError):
        upload["x"]


def test_a_urlencoded_part_is_the_rest_of_the_body():
    body = part('name="f"; filename="n"', "a=1&b=2", "Content-Type: " + URLENCODED)
    upload = post(body + FINAL)["f"]
    assert [(item.name, item.value) for item in upload.list] == [
        ("a", "1"),
        ("b", "2\r\n--b--\r\n"),
    ]
    assert all(isinstance(item, MiniFieldStorage) for item in upload.list)


def test_a_part_without_a_name():
    with pytest.raises(TypeError, match="None"):
        post(part("x=y", "1") + FINAL)


@pytest.mark.parametrize(
    "boundary", ["", "; boundary=", '; boundary="x "', "; boundary=\xe9", "; boundary=" + "x" * 202]
)
def test_an_unusable_boundary(boundary):
    with pytest.raises(ValueError, match="Invalid boundary in multipart form"):
        post(b"", "multipart/form-data" + boundary)


def test_large_files_are_not_kept_in_memory():
    content = "x" * (1024 * 1024 + 1)
    upload = post(part('name="f"; filename="n"', content) + FINAL)["f"]
    assert not isinstance(upload.file, BytesIO)
    assert upload.value == content.encode()
    upload.file.close()


@pytest.mark.parametrize(
    "content",
    [
        b"x" * 50_000_000,
        b"\n" * 50_000_000,
        b"\r\n--" * 12_500_000,
        b"\n--bx" * 1_000_000 + b"x" * 44_000_000,
        b"--b" * 16_000_000,
        random.Random(1).randbytes(50_000_000),
    ],
    ids=["long-line", "line-feeds", "dashes", "almost-boundaries", "boundary-in-line", "random"],
)
def test_fifty_megabytes_are_read_in_linear_time(content):
    body = (
        part('name="f"; filename="n"', "").rstrip(b"\r\n") + b"\r\n\r\n" + content + b"\r\n" + FINAL
    )
    upload = post(body)["f"]
    assert upload.value == content
    upload.file.close()


def test_a_preamble_takes_linear_time():
    body = b"--b x\n" * 1_000_000 + b"x" * 20_000_000 + b"\n" + part('name="a"', "1") + FINAL
    assert post(body) == {b"a": [b"1"]}
