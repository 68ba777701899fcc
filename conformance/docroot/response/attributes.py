def main(request, response):
    return repr([response.status, response.encoding, response.add_required_headers,
                 response.send_body_for_head_request, response.close_connection, response.content,
                 response.request is request, type(response).__name__,
                 type(response.writer).__name__, response.logger is not None])
