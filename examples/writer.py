"""response.writer sends the status line, each header and the body by hand, in that order.

write() returns False once the client has gone, which is how an endless handler knows when
to stop. After the writer was used, what main() returns is ignored.
"""
import time


def main(request, response):
    writer = response.writer
    writer.write_status(200)
    writer.write_header("Content-Type", "text/plain; charset=utf-8")
    writer.write_header("X-Content-Type-Options", "nosniff")
    writer.end_headers()
    for number in range(1, 6):
        if not writer.write(f"line {number}\n"):
            return
        time.sleep(0.2)
