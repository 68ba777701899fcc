"""The parts of malformed.py that judge: how responses are read, and what is due.

    python -m unittest discover bench/tests
"""
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import malformed
import odd_requests
from odd_requests import ANSWER, CLOSE, NOTHING, REFUSAL, OddRequest


def read(data, ended=True):
    seen = malformed.responses(data, ended)
    return seen.statuses, seen.fault


class ReadingResponses(unittest.TestCase):
    def test_several_in_a_row_interim_ones_not_counted(self):
        data = (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"
                b"HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n")
        self.assertEqual(read(data, ended=False), ([200, 404], None))

    def test_a_body_that_ends_with_the_connection(self):
        data = b"HTTP/1.1 200 OK\r\n\r\nhello"
        self.assertEqual(read(data, ended=False), ([], None))
        self.assertEqual(read(data), ([200], None))

    def test_a_chunked_body(self):
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.assertEqual(read(head + b"2\r\nhi\r\n0\r\n\r\n", ended=False), ([200], None))
        self.assertEqual(read(head + b"0\r\nX-Trailer: 1\r\n\r\n"), ([200], None))
        self.assertEqual(read(head + b"2\r\nhi\r\n"), ([], "unfinished response body"))

    def test_what_is_not_whole_or_no_response_is_a_fault(self):
        self.assertEqual(read(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi"),
                         ([], "unfinished response body"))
        self.assertEqual(read(b"<html>\r\n\r\n"), ([], "malformed response head b'<html>'"))
        self.assertEqual(read(b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n"),
                         ([], "malformed response head b'HTTP/1.1 200 OK\\r\\nno colon'"))
        self.assertEqual(read(b"HTTP/1.1 20"), ([], "unfinished response head b'HTTP/1.1 20'"))


class Judging(unittest.TestCase):
    def judge(self, due, data, ended="closed", answers=1):
        request = OddRequest("kind", 0, b"", due, answers)
        return malformed.judge(request, malformed.responses(data, True), ended)[1]

    def test_a_refusal_needs_an_error_status(self):
        self.assertIsNone(self.judge(REFUSAL, b"HTTP/1.1 400 \r\n\r\n"))
        self.assertEqual(self.judge(REFUSAL, b"HTTP/1.1 200 \r\n\r\n"), "accepted with 200")

    def test_an_answer_may_have_any_status_but_must_come(self):
        self.assertIsNone(self.judge(ANSWER, b"HTTP/1.1 200 \r\n\r\n"))
        self.assertEqual(self.judge(ANSWER, b""), "0 of 1 response(s), then closed")
        two = b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n" * 2
        self.assertEqual(self.judge(ANSWER, two, answers=3), "2 of 3 response(s), then closed")

    def test_an_unfinished_request_may_end_without_an_answer_but_not_with_a_reset(self):
        self.assertIsNone(self.judge(CLOSE, b""))
        self.assertEqual(self.judge(CLOSE, b"", "reset"), "reset without an answer")


class OddRequests(unittest.TestCase):
    def test_the_same_seed_gives_the_same_requests(self):
        first = list(odd_requests.generate("1", 200))
        self.assertEqual(first, list(odd_requests.generate("1", 200)))
        self.assertNotEqual(first, list(odd_requests.generate("2", 200)))
        self.assertEqual(first[123], odd_requests.one("1", 123))

    def test_every_kind_says_what_is_due(self):
        dues = {request.due for request in odd_requests.generate("1", 200)}
        self.assertEqual(dues, {REFUSAL, ANSWER, CLOSE, NOTHING})

    def test_a_whole_head_without_a_body_is_owed_an_answer(self):
        self.assertEqual(odd_requests.due_for(b"\r\n\nGET\r\n\r\nrest"), ANSWER)
        self.assertEqual(odd_requests.due_for(b"\r\n\r\n\r\n"), CLOSE)
        self.assertEqual(odd_requests.due_for(b"GET / HTTP/1.1\r\nHost: a\r\n"), CLOSE)
        self.assertEqual(odd_requests.due_for(b"PUT / HTTP/1.1\r\ncontent-length: 9\r\n\r\n"), CLOSE)


if __name__ == "__main__":
    unittest.main()
