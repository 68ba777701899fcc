def handle_headers(frame, request, response):
    response.status = 203
    response.headers.update([("Test", "passed"), ("X-Stream", request.h2_stream_id)])


def handle_data(frame, request, response):
    response.content = frame.data[::-1]
