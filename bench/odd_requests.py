"""A seeded generator of malformed and odd HTTP/1 requests, for malformed.py.

`generate(seed, count)` yields `OddRequest`s; the same seed gives the same ones. Each kind is a
function of a random generator that returns the bytes and what is due for them:

- REFUSAL: the request is whole and malformed, so a response with a 4xx or 5xx status is due
- ANSWER: the head is whole, so some response is due, whatever its status
- CLOSE: the request is not whole; the client half-closes, and a response or a clean close will do
- NOTHING: the client leaves without waiting; the server has only to survive
"""
import itertools
import random
import re
from typing import NamedTuple

REFUSAL, ANSWER, CLOSE, NOTHING = "refusal", "answer", "close", "nothing"

HOST = b"Host: localhost\r\n"


class OddRequest(NamedTuple):
    kind: str
    number: int
    data: bytes
    due: str
    answers: int = 1
    """How many responses are due, where any is."""


def generate(seed, count, kinds=None):
    """`count` requests, the kinds in turn.

    Each has a random generator of its own, so that seed and number reproduce it.
    """
    numbers = (number for number in itertools.count()
               if not kinds or KINDS[number % len(KINDS)].__name__ in kinds)
    for number in itertools.islice(numbers, count):
        yield one(seed, number)


def one(seed, number):
    kind = KINDS[number % len(KINDS)]
    return OddRequest(kind.__name__, number, *kind(random.Random(f"{seed}:{number}")))


def from_file(path, number):
    """A file of a fuzz corpus, sent as it is."""
    data = path.read_bytes()
    return OddRequest("corpus", number, data, due_for(data))


def due_for(data):
    """What is due for bytes nobody made on purpose, by the plainest reading of them.

    A head that is whole and says nothing about a body is owed a response. Where there may be a
    body, it cannot be told without a parser whether the request is whole.
    """
    data = re.sub(rb"\A(?:\r?\n)+", b"", data)
    head, blank, _ = data.partition(b"\r\n\r\n")
    if not blank or not head.strip(b"\r\n"):
        return CLOSE
    if re.search(rb"(?i)content-length|transfer-encoding|expect|upgrade", head):
        return CLOSE
    if head[:7].upper() in (b"CONNECT", b"PRI * H"):
        return CLOSE
    return ANSWER


# Request lines


def bad_request_line(rng):
    line = rng.choice([
        b"GET", b"GET ", b" GET /hello.py HTTP/1.1", b"/hello.py HTTP/1.1",
        b"GET /hello.py HTTP/1.1 extra", b"GET /hello.py HTTP/1.1 HTTP/1.1", b"GET /hello py HTTP/1.1",
        b"GET\t/hello.py\tHTTP/1.1", b"G<E>T /hello.py HTTP/1.1", b"G\x7fET /hello.py HTTP/1.1",
        b"GE\xe9T /hello.py HTTP/1.1", b"(GET) /hello.py HTTP/1.1", b"GET: /hello.py HTTP/1.1",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", noise(rng, 1, 80, avoid=b"\r\n"),
    ])
    if looks_valid(line):
        line = b"!" + line.replace(b" ", b"")
    return line + b"\r\n" + HOST + b"\r\n", REFUSAL


def bad_version(rng):
    version = rng.choice([
        b"HTTP/1", b"HTTP/1.", b"HTTP/.1", b"HTTP/11", b"HTTP/2.0", b"HTTP/3.0", b"HTTP/9.9",
        b"HTTP/1.1.1", b"HTTP/1,1", b"HTTP/-1.1", b"HTTP/1.x", b"HTTP/x.1", b"http/1.1", b"HTTPS/1.1",
        b"HTP/1.1", b"HTTP /1.1", b"HTTP/ 1.1", b"HTTP/1.1\x00", b"HTTP/1.\xb9", b"ICY/1.1",
        b"HTTP/%d.%d" % (rng.randrange(10, 10**6), rng.randrange(10)),
    ])
    return b"GET /hello.py " + version + b"\r\n" + HOST + b"\r\n", REFUSAL


def nul_in_head(rng):
    head = bytearray(b"GET /hello.py HTTP/1.1\r\nHost: localhost\r\nX-Name: some value\r\n\r\n")
    start, stop = rng.choice([(0, 22), (24, 28), (42, 48)])
    head[rng.randrange(start, stop)] = 0
    return bytes(head), REFUSAL


def odd_target(rng):
    """Targets that are rare or wrong, but leave the request line readable."""
    target = rng.choice([
        b"*", b"hello.py", b"//hello.py", b"///", b"/%", b"/%zz", b"/%00", b"/..", b"/../../etc/passwd",
        b"/%2e%2e/%2e%2e/etc/passwd", b"/..%2f..%2fetc/passwd", b"/hello.py/", b"/hello.py?%", b"/?",
        b"/hello.py?" + b"&=" * rng.randrange(1, 500), b"/\xff\xfe", b"/hello.py#fragment", b"?", b"#",
        b"http://", b"http:///hello.py", b"http://localhost", b"http://[::1/hello.py", b"http://[",
        b"http://a:b:c/hello.py", b"http://localhost:99999999/hello.py", b"ftp://localhost/hello.py",
        b"localhost:80", b"/" + b"a/" * rng.randrange(1, 2000), b"/" + b"%2f" * rng.randrange(1, 500),
        b"/" + noise(rng, 1, 60, avoid=b" \t\r\n\v\f\x00"), b"/hello.py;" + b";" * rng.randrange(50),
    ])
    method = rng.choice([b"GET", b"POST", b"OPTIONS", b"DELETE", b"XMETHOD", b"get"])
    return method + b" " + target + b" HTTP/1.1\r\n" + HOST + b"\r\n", ANSWER


def very_long_line(rng):
    length = rng.choice([70_000, 100_000, 300_000, 1_000_000])
    line = rng.choice([
        b"GET /" + b"a" * length + b" HTTP/1.1\r\n" + HOST,
        b"G" * length + b" / HTTP/1.1\r\n" + HOST,
        b"GET /hello.py HTTP/1.1\r\n" + HOST + b"X-Long: " + b"v" * length + b"\r\n",
        b"GET /hello.py HTTP/1.1\r\n" + HOST + b"N" * length + b": v\r\n",
        b"GET /hello.py HTTP/1." + b"1" * length + b"\r\n" + HOST,
    ])
    return line + b"\r\n", REFUSAL


def thousands_of_headers(rng):
    count = rng.choice([600, 1000, 3000, 10_000])
    fields = b"".join(b"X-%d: %d\r\n" % (n, n) for n in range(count))
    return b"GET /hello.py HTTP/1.1\r\n" + HOST + fields + b"\r\n", REFUSAL


# Header fields


def bad_header_field(rng):
    field = rng.choice([
        b"no colon at all", b": no name", b"X Y: space in the name", b"X-Name : space before the colon",
        b"X\x00Y: nul in the name", b"X\x01: control in the name", b"X(Y): parentheses",
        b"X\xe9: letter outside ASCII in the name", b"X-Name: a\x00b", b"X@Y: at", b"\"X\": quotes",
    ])
    before = b"X-Before: 1\r\n" * rng.randrange(4)
    return b"GET /hello.py HTTP/1.1\r\n" + HOST + before + field + b"\r\n\r\n", ANSWER


def folded_field(rng):
    field = rng.choice([
        b"X-Folded: one\r\n two\r\n", b"X-Folded: one\r\n\ttwo\r\n", b"X-Folded:\r\n one\r\n",
        b"X-Folded: " + b"one\r\n " * rng.randrange(1, 300) + b"end\r\n",
        b"Content-Length:\r\n 0\r\n", b"Transfer-Encoding:\r\n chunked\r\n",
    ])
    place = rng.randrange(3)
    head = [HOST, b"X-A: a\r\n"]
    head.insert(place, field)
    return b"GET /hello.py HTTP/1.1\r\n" + b"".join(head) + b"\r\n0\r\n\r\n", ANSWER


def fold_in_first_field(rng):
    blank = rng.choice([b" ", b"\t", b"  ", b" \t "])
    return b"GET /hello.py HTTP/1.1\r\n" + blank + b"Host: localhost\r\n" + b"\r\n", ANSWER


def bare_line_ends(rng):
    """Lines that end in LF alone, or have a CR inside: lenient and strict servers differ."""
    head = rng.choice([
        b"GET /hello.py HTTP/1.1\nHost: localhost\n\n",
        b"GET /hello.py HTTP/1.1\r\nHost: localhost\n\r\n",
        b"GET /hello.py HTTP/1.1\nHost: localhost\r\n\r\n",
        b"GET /hello.py HTTP/1.1\r\nX-Name: a\rb\r\nHost: localhost\r\n\r\n",
        b"GET /hello.py HTTP/1.1\r\r\nHost: localhost\r\n\r\n",
        b"GET /hello.py\rHTTP/1.1\r\nHost: localhost\r\n\r\n",
    ])
    return b"\r\n" * rng.randrange(3) + head, ANSWER


# Framing


def bad_content_length(rng):
    value = rng.choice([
        b"", b"-1", b"+5", b"5 5", b"5,6", b"0x5", b"5.0", b"5e1", b"five", b"\xb2", b"5\x00", b"5;",
        b"18446744073709551616", b"9" * rng.randrange(20, 400), b"1_0", b"\"5\"", b"- 5", b"5-",
    ])
    return post(b"Content-Length: " + value + b"\r\n", b"hello"), REFUSAL


def two_content_lengths(rng):
    first, second = rng.sample([b"0", b"4", b"5", b"6", b"50", b"00"], 2)
    if int(first) == int(second):
        second = b"7"
    name = rng.choice([b"Content-Length", b"content-length", b"CONTENT-LENGTH"])
    return post(b"Content-Length: " + first + b"\r\n" + name + b": " + second + b"\r\n",
                b"hello" + b"x" * 60), REFUSAL


def length_and_chunked(rng):
    fields = [b"Content-Length: %d\r\n" % rng.choice([0, 5, 15, 10**6]),
              b"Transfer-Encoding: chunked\r\n"]
    rng.shuffle(fields)
    return post(b"".join(fields), b"5\r\nhello\r\n0\r\n\r\n"), REFUSAL


def bad_transfer_encoding(rng):
    value = rng.choice([
        b"identity", b"gzip", b"chunked, gzip", b"chunked, chunked", b"xchunked", b"chunked;q=1",
        b"\"chunked\"", b"chunk", b"chunked\x00", b"\x0bchunked", b",", b"cow", b"chunked, identity",
    ])
    return post(b"Transfer-Encoding: " + value + b"\r\n", b"5\r\nhello\r\n0\r\n\r\n"), REFUSAL


def bad_chunk(rng):
    body = rng.choice([
        b"g\r\nhello\r\n0\r\n\r\n", b"-5\r\nhello\r\n0\r\n\r\n", b"0x5\r\nhello\r\n0\r\n\r\n",
        b"\r\nhello\r\n0\r\n\r\n", b"5 5\r\nhello\r\n0\r\n\r\n", b"5\r\nhelloXX0\r\n\r\n",
        b"5\r\nhello0\r\n\r\n", b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n", b"+5\r\nhello\r\n0\r\n\r\n",
        b"5\x00\r\nhello\r\n0\r\n\r\n", b";x\r\nhello\r\n0\r\n\r\n", b"5_\r\nhello\r\n0\r\n\r\n",
        b"1" * rng.randrange(17, 5000) + b"\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhello\r\n" * rng.randrange(1, 200) + b"zz\r\n\r\n",
    ])
    return post(b"Transfer-Encoding: chunked\r\n", body), REFUSAL


def bad_trailer(rng):
    trailer = rng.choice([
        b"no colon\r\n\r\n", b": no name\r\n\r\n",
        b"X-Long: " + b"v" * rng.choice([1000, 100_000]) + b"\r\n\r\n",
        b"".join(b"X-%d: 1\r\n" % n for n in range(rng.choice([10, 2000]))) + b"\r\n",
        b"X\x00: y\r\n\r\n", b"Content-Length: 7\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n",
    ])
    return post(b"Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n0\r\n" + trailer), ANSWER


# Requests that are not whole


def truncated_head(rng):
    head = (b"GET /hello.py?a=1 HTTP/1.1\r\nHost: localhost\r\nUser-Agent: odd\r\n"
            b"Accept: */*\r\nCookie: a=b; c=d\r\n\r\n")
    return head[:rng.randrange(len(head) - 1)], CLOSE


def truncated_body(rng):
    if rng.random() < 0.5:
        length = rng.choice([1, 100, 10_000, 2_000_000, 10**12])
        body = b"x" * rng.randrange(min(length, 3000))
        return post(b"Content-Length: %d\r\n" % length, body), CLOSE
    body = b"5\r\nhello\r\n1000\r\n" + b"y" * 100
    return post(b"Transfer-Encoding: chunked\r\n", body[:rng.randrange(len(body))]), CLOSE


def abandoned(rng):
    """Part of a request, or a whole one, and the client is gone at once."""
    whole = rng.choice([
        b"GET /static_1m.txt HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /hello.py HTTP/1.1\r\n" + HOST + b"\r\n",
        post(b"Content-Length: 100000\r\n", b"x" * 5000),
        post(b"Content-Length: 10\r\nExpect: 100-continue\r\n", b""),
    ])
    return whole[:rng.choice([len(whole), rng.randrange(len(whole) + 1)])], NOTHING


# Several requests, and valid ones with a fault


def pipelined_garbage(rng):
    good = b"GET /hello.py HTTP/1.1\r\n" + HOST + b"\r\n"
    count = rng.randrange(1, 20)
    return good * count + noise(rng, 1, 2000) + rng.choice([b"", b"\r\n\r\n"]), ANSWER, count


def garbage(rng):
    data = noise(rng, 1, rng.choice([10, 200, 5000]))
    return data, due_for(data)


def mutated(rng):
    """A valid request after a few random edits."""
    data = bytearray(rng.choice(VALID))
    for _ in range(rng.randrange(1, 6)):
        place = rng.randrange(len(data) + 1)
        edit = rng.randrange(5)
        if edit == 0:
            data[place:place] = rng.choice(PIECES)
        elif edit == 1:
            del data[place:place + rng.randrange(1, 9)]
        elif edit == 2 and place < len(data):
            data[place] ^= 1 << rng.randrange(8)
        elif edit == 3:
            data[place:place] = data[place:place + rng.randrange(1, 60)]
        else:
            data[place:place + 1] = bytes([rng.randrange(256)])
        if not data:
            data += b"\r"
    return bytes(data), due_for(bytes(data))


KINDS = [
    bad_request_line, bad_version, nul_in_head, odd_target, very_long_line, thousands_of_headers,
    bad_header_field, folded_field, fold_in_first_field, bare_line_ends, bad_content_length,
    two_content_lengths, length_and_chunked, bad_transfer_encoding, bad_chunk, bad_trailer,
    truncated_head, truncated_body, abandoned, pipelined_garbage, garbage,
    mutated, mutated, mutated, mutated,
]

VALID = [
    b"GET /hello.py HTTP/1.1\r\nHost: localhost\r\nUser-Agent: odd/1.0\r\nAccept: */*\r\n\r\n",
    b"GET /get_first.py?content-type=text/plain&a=b%20c HTTP/1.1\r\nHost: localhost\r\n"
    b"Cookie: a=b; c=\"d\"\r\nConnection: keep-alive\r\n\r\n",
    b"POST /hello.py HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 11\r\n\r\na=1&b=2&c=3",
    b"POST /hello.py HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nX-Trailer: t\r\n\r\n",
    b"GET /static_1k.txt HTTP/1.0\r\n\r\n",
    b"GET http://localhost/static_1k.txt HTTP/1.1\r\nHost: other\r\nRange: bytes=0-9\r\n\r\n",
    b"PUT /hello.py HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
]

PIECES = [
    b"\r\n", b"\r\n\r\n", b"\n", b"\r", b"\x00", b":", b" ", b"\t", b"%", b"%00", b"\xff", b"/", b"?",
    b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"HTTP/1.1", b"Host: \r\n", b"0\r\n\r\n",
    b"Connection: close\r\n", b"Connection: upgrade\r\nUpgrade: h2c\r\n", b"a" * 300, b"GET / HTTP/1.1\r\n",
]


def post(fields, body):
    return b"POST /hello.py HTTP/1.1\r\n" + HOST + fields + b"\r\n" + body


def noise(rng, shortest, longest, avoid=b""):
    data = rng.randbytes(rng.randint(shortest, longest))
    return data.translate(None, avoid) or b"?"


def looks_valid(line):
    return re.fullmatch(rb"[!#-'*+.^-z|~\w-]+ [^ ]+ HTTP/1\.[01]", line) is not None
