"""What our server says of a failure: which file, line, token or pipe is at fault."""

import json

import pytest

from case import request
from conftest import SUBJECT
from wire import Step, exchange

pytestmark = pytest.mark.skipif(SUBJECT != "ours", reason="the reference shows its own frames")

TEXTS = {
    "/headers-files/no-colon-later.txt": ["no-colon-later.txt.headers", "2"],
    "/headers-files/folder-bad/plain.txt": ["__dir__.headers", "1"],
    "/headers-files/sub/bad-unknown.txt": ["bad-unknown.txt.sub.headers", "{{unknown}}"],
    "/templates/bad/unknown.sub.txt": ["{{unknown}}"],
    "/templates/bad/ports-beyond.sub.txt": ["{{ports[http][9]}}"],
    "/templates/bad/variable-undefined.sub.txt": ["{{$a}}"],
    "/templates/bad/file-hash-missing.sub.txt": ["ranges/none.txt"],
    "/templates/bad/header-missing.sub.txt": ["{{headers[x-missing]}}"],
    "/pipes/digits.txt?pipe=tricle(d1)": ["tricle"],
    "/pipes/digits.txt?pipe=sub|status": ["status"],
    "/pipes/digits.txt?pipe=slice(a)": ["slice", "a"],
    "/pipes/digits.txt?pipe=trickle(1:x)": ["trickle", "x"],
    "/pipes/digits.txt?pipe=header(X-A,b,maybe)": ["header", "maybe"],
    "/pipes/text.py?pipe=tricle(d1)": ["tricle"],
}


@pytest.mark.parametrize("target", TEXTS)
def test_a_failure_says_what_is_at_fault(pair, target):
    (response,) = exchange(pair.subject.address, [Step(request(target))], [b"GET"]).responses
    assert response.status == b"HTTP/1.1 500 Internal Server Error"
    message = json.loads(response.body)["error"]["message"]
    # The first line holds the URL, which says it all by itself.
    told = message.partition("\n")[2]
    assert [text for text in TEXTS[target] if text not in told] == []
