def main(request, response):
    writer = response.writer
    shown = [writer.write_status(200), writer.write_header("X-A", "1"), writer.end_headers(),
             writer.write_content(b"-"), writer.write(b"-"), writer.write("-")]
    writer.write(repr(shown))
