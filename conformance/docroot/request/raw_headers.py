def main(request, response):
    raw = request.raw_headers
    return repr([list(raw.raw_items()), raw["x-test"], raw.get("X-TEST"), raw.get("none"),
                 raw.get_all("x-test"), "x-test" in raw, raw.keys(), raw.items(), len(raw)])
