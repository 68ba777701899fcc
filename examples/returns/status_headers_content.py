"""Return format 4: ((code, reason), headers, content). Any integer is a code."""


def main(request, response):
    headers = [("Content-Type", "text/plain; charset=utf-8")]
    return (299, "Any Reason You Like"), headers, "Code, reason, headers and content.\n"
