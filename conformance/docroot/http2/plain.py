def main(request, response):
    return (
        (202, "A reason"),
        [("Content-Type", "text/html"), ("X-Test", "PASS"), ("X-Test", "AGAIN")],
        "PASS",
    )
