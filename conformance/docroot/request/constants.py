from wptserve.constants import content_types, h2_headers, response_codes


def main(request, response):
    codes = sorted((code, texts[0], len(texts)) for code, texts in response_codes.items())
    return repr([sorted(content_types.items()), codes, h2_headers])
