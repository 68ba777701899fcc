"""What the allocators of the server's own process have in use, for long_life.py.

`mallinfo2` counts what Rust and C have taken of all of malloc's arenas; Python's own blocks and
objects are counted once the garbage is collected.
"""
import ctypes
import gc
import json
import sys


class MallInfo(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks",
        "fordblks", "keepcost")]


def main(request, response):
    gc.collect()
    answer = {"python_blocks": sys.getallocatedblocks(), "python_objects": len(gc.get_objects())}
    mallinfo2 = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if mallinfo2 is not None:
        mallinfo2.restype = MallInfo
        info = mallinfo2()
        answer["malloc_bytes"] = info.uordblks + info.hblkhd
    return [(b"Content-Type", b"application/json")], json.dumps(answer)
