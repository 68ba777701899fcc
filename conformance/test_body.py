"""Request bodies: `body`, `raw_input`, `POST`, uploads, and how bodies are framed."""

from case import get, multipart, parametrize, pipeline, post, request, send, steps

MIB = 1 << 20
PLAIN = "application/octet-stream"
LINES = b"one\ntwo\r\nthree\n\nlast"

RAW = [
    post("body", "/body/body.py", b"a=1&b=\xff\x00", PLAIN),
    get("body-none", "/body/body.py"),
    post("body-empty", "/body/body.py", b"", PLAIN),
    post("body-no-content-type", "/body/body.py", b"bytes", None),
    send("body-of-get", request("/body/body.py", body=b"a body for GET")),
    send("body-of-put", request("/body/body.py", "PUT", body=b"put")),
    send("body-of-own-method", request("/body/body.py", "CHICKEN", body=b"own")),
    post("body-1-mib", "/body/length.py", b"x" * MIB, PLAIN),
    post("body-over-1-mib", "/body/length.py", b"head" + b"x" * MIB + b"tail", PLAIN),
    post("body-4-mib", "/body/length.py", bytes(range(256)) * (MIB // 64), PLAIN),
    post("raw-read", "/body/raw_read.py", b"abcdef", PLAIN),
    post("raw-read-pieces", "/body/raw_pieces.py", b"abcdefgh", PLAIN),
    post("raw-readline", "/body/raw_readline.py", LINES, PLAIN),
    post("raw-readlines", "/body/raw_readlines.py", LINES, PLAIN),
    post("raw-iterate", "/body/raw_iterate.py", LINES, PLAIN),
    post("raw-next", "/body/raw_next.py", LINES, PLAIN),
    post("raw-next-at-end", "/body/raw_next.py", b"one line", PLAIN),
    post("raw-seek", "/body/raw_seek.py", b"abcdefgh", PLAIN),
    post("raw-seek-beyond", "/body/raw_seek_error.py", b"abc", PLAIN),
    post("raw-then-body", "/body/raw_then_body.py", b"abcdefgh", PLAIN),
]

FORM = [
    post("post", "/body/post.py", b"b=2&a=1&b=3"),
    post("post-api", "/body/post_api.py", b"a=1&b=2&a=3"),
    post("post-missing", "/body/post_missing.py", b"a=1"),
    post("post-str-key", "/body/post_str_key.py", b"a=1"),
    post("post-order", "/body/post_order.py", b"&".join(b"k%d=1" % n for n in range(12))),
    post("post-and-body", "/body/post_and_body.py", b"a=1&b=2"),
    post("post-no-content-type", "/body/post.py", b"a=1", None),
    post("post-charset-parameter", "/body/post.py", b"a=%C3%A9",
         "application/x-www-form-urlencoded; charset=utf-8"),
    post("post-upper-case-type", "/body/post.py", b"a=1", "Application/X-WWW-Form-URLencoded"),
    post("post-text-plain", "/body/post.py", b"a=1", "text/plain"),
    post("post-json", "/body/post.py", b'{"a": 1}', "application/json"),
    post("post-empty", "/body/post.py", b""),
    post("post-blank-values", "/body/post.py", b"a=&b&=c&&d="),
    post("post-plus-and-escapes", "/body/post.py", b"a+b=c+d&e=%20%ff%00&f=%zz&g=%"),
    post("post-semicolons", "/body/post.py", b"a=1;b=2"),
    post("post-latin-1", "/body/post.py", b"a=\xe9&\xff=1"),
    post("post-line-end", "/body/post.py", b"a=1\r\n"),
    send("post-of-get", request("/body/post.py?q=1", body=b"a=1")),
    get("post-of-get-no-body", "/body/post.py?q=1"),
    send(
        "post-of-put",
        request("/body/post.py", "PUT", [("Content-Type", "application/x-www-form-urlencoded")],
                b"a=1"),
    ),
    post("post-over-1-mib", "/body/post.py", b"a=" + b"x" * MIB + b"&b=2"),
]

FILE = (b'Content-Disposition: form-data; name="file"; filename="name.txt"\r\n'
        b"Content-Type: text/plain", b"file \xff content")
FIELD = (b'Content-Disposition: form-data; name="field"', b"value")


def _upload(id: str, *parts: tuple[bytes, bytes], target: str = "/body/upload.py"):
    body, content_type = multipart(*parts)
    return post(id, target, body, content_type)


UPLOADS = [
    _upload("upload-field", FIELD),
    _upload("upload-file", FILE, FIELD),
    _upload("upload-file-object", FILE, target="/body/upload_file.py"),
    _upload("upload-headers", (FILE[0] + b"; charset=x\r\nX-Own: 1", b"c"),
            target="/body/upload_headers.py"),
    _upload("upload-no-type",
            (b'Content-Disposition: form-data; name="file"; filename="f"', b"c")),
    _upload("upload-no-type-headers",
            (b'Content-Disposition: form-data; name="file"; filename="f"', b"c"),
            target="/body/upload_headers.py"),
    _upload("upload-two-files-one-name", FILE, FILE),
    _upload("upload-file-and-field-one-name", FILE,
            (b'Content-Disposition: form-data; name="file"', b"plain")),
    _upload("upload-empty-filename",
            (b'Content-Disposition: form-data; name="file"; filename=""', b"")),
    _upload("upload-empty-file",
            (b'Content-Disposition: form-data; name="file"; filename="empty"', b"")),
    _upload("upload-utf8-names",
            ('Content-Disposition: form-data; name="f\u00e9"; filename="\u5929.txt"'.encode(), b"c")),
    _upload("upload-latin-1-names",
            (b'Content-Disposition: form-data; name="f\xe9"; filename="\xff.txt"', b"c")),
    _upload("upload-percent-names",
            (b'Content-Disposition: form-data; name="a%22b"; filename="c%0D%0A.txt"', b"c")),
    _upload("upload-quoted-names",
            (b'Content-Disposition: form-data; name="a\\"b"; filename="c\\\\d;e.txt"', b"c")),
    _upload("upload-bare-names", (b"Content-Disposition: form-data; name=bare; filename=f.t", b"c")),
    _upload("upload-path-in-name",
            (b'Content-Disposition: form-data; name="file"; filename="C:\\d\\..\\f"', b"c")),
    _upload("upload-lower-case-headers",
            (b'content-disposition: form-data; name="file"; filename="f"\r\ncontent-type: a/b',
             b"c")),
    _upload("upload-part-content-length",
            (b'Content-Disposition: form-data; name="file"; filename="f"\r\nContent-Length: 3',
             b"abc")),
    _upload("upload-no-name", (b"Content-Disposition: form-data", b"c")),
    _upload("upload-no-disposition", (b"Content-Type: text/plain", b"c")),
    _upload("upload-line-ends-in-content", (FILE[0], b"\r\na\r\n\nb\r\n\r\n")),
    _upload("upload-boundary-like-content", (FILE[0], b"--BOUNDAR\r\n--BOUNDARYX\r\n")),
    _upload("upload-no-parts"),
    post("upload-preamble-and-epilogue", "/body/upload.py",
         b"preamble\r\n" + multipart(FIELD)[0] + b"epilogue", multipart()[1]),
    post("upload-bare-line-feeds", "/body/upload.py",
         multipart(FIELD)[0].replace(b"\r\n", b"\n"), multipart()[1]),
    post("upload-truncated", "/body/upload.py", multipart(FILE)[0][:-20], multipart()[1]),
    post("upload-quoted-boundary", "/body/upload.py", multipart(FIELD)[0],
         'multipart/form-data; boundary="BOUNDARY"'),
    post("upload-no-boundary", "/body/upload.py", multipart(FIELD)[0], "multipart/form-data"),
    post("upload-wrong-boundary", "/body/upload.py", multipart(FIELD)[0],
         "multipart/form-data; boundary=OTHER"),
    post("upload-bad-boundary", "/body/upload.py", multipart(FIELD)[0],
         "multipart/form-data; boundary=\xff"),
    post("upload-mixed-type", "/body/upload.py", multipart(FILE, FIELD)[0],
         "multipart/mixed; boundary=BOUNDARY"),
    # The reference parses an upload two bytes at a time: a large one takes it seconds.
    _upload("upload-large", (FILE[0], bytes(range(256)) * 400), target="/body/upload_hash.py"),
    post("upload-in-a-body-over-1-mib", "/body/upload_hash.py",
         multipart(FILE)[0] + b"e" * MIB, multipart()[1]),
]


def _framed(fields: bytes, body: bytes = b"", target: bytes = b"/body/body.py") -> bytes:
    return b"POST " + target + b" HTTP/1.1\r\nHost: h\r\n" + fields + b"\r\n" + body


CHUNKED = b"Transfer-Encoding: chunked\r\n"

FRAMING = [
    send("framing-unread-body-kept", request("/body/not_read.py", "POST", body=b"GET / HTTP/1.1"),
         request("/body/not_read.py")),
    send("framing-unread-large-body", request("/body/not_read.py", "POST", body=b"x" * 3 * MIB)),
    pipeline("framing-pipelined-bodies", *[
        request("/body/body.py", "POST", body=b"body %d" % n) for n in range(3)]),
    steps("framing-body-in-pieces", [b"POST"], (request("/body/body.py", "POST",
          [("Content-Length", "6")]), 0), (b"abc", 0), (b"def", 1), quiet=0.05),
    send("framing-chunked", _framed(CHUNKED, b"5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\n")),
    send("framing-chunked-trailer", _framed(CHUNKED, b"1\r\na\r\n0\r\nX-Trailer: 1\r\n\r\n")),
    send("framing-chunked-post",
         _framed(CHUNKED + b"Content-Type: application/x-www-form-urlencoded\r\n",
                 b"3\r\na=1\r\n4\r\n&b=2\r\n0\r\n\r\n", b"/body/post.py")),
    send("framing-chunked-and-length",
         _framed(CHUNKED + b"Content-Length: 5\r\n", b"0\r\n\r\n")),
    send("framing-two-lengths", _framed(b"Content-Length: 3\r\nContent-Length: 4\r\n", b"abcd")),
    send("framing-two-equal-lengths",
         _framed(b"Content-Length: 3\r\nContent-Length: 3\r\n", b"abc")),
    send("framing-length-not-a-number", _framed(b"Content-Length: abc\r\n", b"abc")),
    send("framing-length-negative", _framed(b"Content-Length: -1\r\n"), patience=1),
    send("framing-length-plus", _framed(b"Content-Length: +3\r\n", b"abc")),
    send("framing-length-underscore", _framed(b"Content-Length: 1_0\r\n", b"0123456789")),
    send("framing-length-empty", _framed(b"Content-Length: \r\n")),
    send("framing-length-spaces", _framed(b"Content-Length:   3  \r\n", b"abc")),
    send("framing-length-zeros", _framed(b"Content-Length: 0003\r\n", b"abc")),
    send("framing-other-coding", _framed(b"Transfer-Encoding: gzip\r\n", b"")),
    send("framing-body-cut-short", _framed(b"Content-Length: 10\r\n", b"abc"), half_close=True),
]


@parametrize(RAW)
def test_raw(pair, case):
    pair.check(case)


@parametrize(FORM)
def test_form(pair, case):
    pair.check(case)


@parametrize(UPLOADS)
def test_uploads(pair, case):
    pair.check(case)


@parametrize(FRAMING)
def test_framing(pair, case):
    pair.check(case)
