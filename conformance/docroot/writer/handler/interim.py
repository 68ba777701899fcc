def main(request, response):
    handler = response.writer._handler
    handler.send_response_only(103)
    handler.send_header("Link", "</a.css>;rel=preload;as=style")
    handler.end_headers()
    return [("X-Final", "yes")], "final"
