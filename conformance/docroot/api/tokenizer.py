from wptserve.pipes import PipeTokenizer, ReplacementTokenizer

TEMPLATES = [
    b"host", b"$a:uuid()", b"$a", b"GET[x]", b"ports[http][0]", b"a[ -1 ]", b"f(a, b,c)", b"f()",
    b"a[]", b"a.b", b" a", b"", b"a[x", b"a(x", b"$:a", b"a[\xc3\xa9]", b"file_hash(md5,\n x)",
]
PIPES = ["sub", "sub(none)", "a(b,c)|d", "a(\\,\\n\\))", "a()", "a||b", "|a", "a(b", "", "a(b)c(d)"]


def main(request, response):
    lines = [repr(ReplacementTokenizer().tokenize(text)) for text in TEMPLATES]
    # The end is a None, or two.
    lines += [repr(list(filter(None, PipeTokenizer().tokenize(text)))) for text in PIPES]
    return "\n".join(lines)
