from wptserve.pipes import boolean, nullable, opt


def main(request, response):
    found = [nullable(int)("null"), nullable(int)("NULL"), nullable(int)("5"), opt(int)("6"),
             opt(nullable(str))("null"), boolean("true"), boolean("1"), boolean("False"),
             boolean("0")]
    for text in ["", "yes", "2"]:
        try:
            found.append(boolean(text))
        except ValueError:
            found.append("ValueError")
    return repr(found)
