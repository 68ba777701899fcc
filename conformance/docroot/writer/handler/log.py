def main(request, response):
    handler = response.writer._handler
    handler.log_request(200, 5)
    handler.log_error("%s", "no error")
    handler.log_message("a %s", "message")
    return type(handler.log_date_time_string()).__name__
