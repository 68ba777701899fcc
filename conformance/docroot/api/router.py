from wptserve.router import compile_path_match

PATTERNS = ["*", "*.py", "/a/*", "/a/{name}/b", "{a}/{b}", "/x.y", "a*b", "/{a}*", "/a(b)[c]*"]
PATHS = ["/", "/a/b", "/a/x/b", "/x.y", "/xzy", "/f.py", "/a/f.py", "/aXb", "/a/b/c", "/a(b)[c]d"]


def main(request, response):
    lines = []
    for pattern in PATTERNS:
        compiled = compile_path_match(pattern)
        for path in PATHS:
            match = compiled.match(path)
            if match:
                lines.append("%s %s %r %r" % (pattern, path, match.groups(), match.groupdict()))
    return "\n".join(lines)
