from wptserve.logger import get_logger


def main(request, response):
    response.logger.debug("from the response")
    get_logger().debug("from the module")
    return b"logged"
