def main(request, response):
    writer = response.writer
    writer.write_status(200)
    writer.write_header("Transfer-Encoding", "chunked")
    writer.write_header("Trailer", "X-Trailer")
    writer.end_headers()
    for piece in ("one", "three"):
        writer.write(f"{len(piece):x}\r\n{piece}\r\n")
    writer.write("0\r\nX-Trailer: 1\r\n\r\n")
