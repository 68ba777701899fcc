"""Return format 3: (code, headers, content). The reason is the usual one for the code."""


def main(request, response):
    headers = [("Content-Type", "text/plain; charset=utf-8")]
    return 201, headers, "Code, headers and content; the reason is the usual one, Created.\n"
