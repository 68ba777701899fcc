from wptserve.ranges import RangeParser
from wptserve.utils import HTTPException

RANGES = [b"bytes=0-1", b"bytes=0-1,4-5", b"bytes=-3", b"bytes=5-", b"bytes=4-5,0-1,5-7",
          b"bytes=50-", b"items=1-2", b"bytes=x", b"\xe9"]


def main(request, response):
    found = []
    for value in RANGES:
        try:
            ranges = RangeParser()(value, 10)
            found.append(repr([(r.lower, r.upper, r.file_size, r.header_value(), repr(r))
                               for r in ranges]))
        except HTTPException as error:
            found.append(repr((error.code, error.args)))
    return "\n".join(found)
