def main(request, response):
    response.content = b"abc"
    response.add_required_headers = False
    writer = response.writer
    writer.write_status(200)
    shown = writer.write_default_headers()
    writer.end_headers()
    writer.write(repr(shown)[:3])
