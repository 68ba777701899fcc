"""The stash: put, take, lock, paths, keys, and values that do and do not pickle."""

import concurrent.futures
import uuid

from case import get, parametrize, request, send
from wire import Step, exchange

KEY = "0f0f0f0f-0000-1000-8000-00000000000"

STASH = [
    get("stash-both", f"/stash/both.py?key={KEY}1"),
    send("stash-put-and-take", request(f"/stash/put.py?key={KEY}2&value=kept"),
         request(f"/stash/take.py?key={KEY}2&path=/stash/put.py"),
         request(f"/stash/take.py?key={KEY}2&path=/stash/put.py")),
    send("stash-paths-apart", request(f"/stash/put.py?key={KEY}3"),
         request(f"/stash/take.py?key={KEY}3"),
         request(f"/stash/take.py?key={KEY}3&path=/stash/put.py")),
    send("stash-path-without-query", request(f"/stash/put.py?key={KEY}4&a=b"),
         request(f"/stash/take.py?key={KEY}4&path=/stash/put.py?key")),
    send("stash-path-as-sent", request(f"/stash/p%75t.py?key={KEY}5"),
         request(f"/stash/take.py?key={KEY}5&path=/stash/put.py"),
         request(f"/stash/take.py?key={KEY}5&path=/stash/p%2575t.py")),
    send("stash-put-twice", request(f"/stash/put.py?key={KEY}6&value=old"),
         request(f"/stash/put.py?key={KEY}6&value=new"),
         request(f"/stash/take.py?key={KEY}6&path=/stash/put.py")),
    get("stash-take-missing", f"/stash/take.py?key={KEY}7"),
    get("stash-values", "/stash/values.py"),
    get("stash-paths", "/stash/paths.py"),
    get("stash-key-forms", "/stash/key_forms.py"),
    get("stash-overwrite", "/stash/overwrite.py"),
    get("stash-overwrite-type", "/stash/overwrite_type.py"),
    get("stash-none", "/stash/none.py"),
    get("stash-bad-key", "/stash/bad_key.py?key=not-a-uuid"),
    get("stash-bad-key-short", "/stash/bad_key.py?key=0123"),
    get("stash-bad-key-empty", "/stash/bad_key.py?key="),
    get("stash-bad-key-not-ascii", "/stash/bad_key.py?key=%E9"),
    get("stash-bad-key-take", "/stash/bad_key_take.py"),
    get("stash-key-int", "/stash/key_int.py"),
    get("stash-path-int", "/stash/path_int.py"),
    get("stash-unpicklable", "/stash/unpicklable.py"),
    get("stash-copies", "/stash/copies.py"),
    send("stash-lock", request("/stash/lock.py"), request("/stash/lock.py")),
    get("stash-lock-methods", "/stash/lock_methods.py"),
    get("stash-remove", "/stash/remove.py"),
    get("stash-queue", "/stash/queue.py"),
    get("stash-same-object", "/stash/same_object.py"),
    get("stash-from-environment", "/stash/from_environment.py"),
]


@parametrize(STASH)
def test_stash(pair, case):
    pair.check(case)


def test_the_lock_is_one_for_all_requests(server):
    target = f"/stash/lock_counter.py?key={uuid.uuid4().hex}"

    def count(_: int) -> int:
        outcome = exchange(server.address, [Step(request(target))], [b"GET"], quiet=5)
        return int(outcome.responses[0].body)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        counts = sorted(pool.map(count, range(24)))
    assert counts == list(range(1, 25))
