def main(request, response):
    response.send_body_for_head_request = True
    return b"body"
