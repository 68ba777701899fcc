class Other:
    pass


def main(request, response):
    other = Other()
    other.version_string = lambda: "Other/1"
    other.date_time_string = lambda: "Never"
    response.writer._handler = other
    return str(response.writer._handler is other)
