def main(request, response):
    names = ["method", "url", "request_path", "url_base", "doc_root", "route_match",
             "protocol_version", "request_line"]
    return "\n".join(f"{name}={getattr(request, name)!r}" for name in names)
