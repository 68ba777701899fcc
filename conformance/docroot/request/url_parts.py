def main(request, response):
    parts = request.url_parts
    named = [parts.scheme, parts.netloc, parts.path, parts.query, parts.fragment,
             parts.hostname, parts.port, parts.username, parts.password]
    return repr([type(parts).__name__, tuple(parts), parts[3], named, parts.geturl()])
