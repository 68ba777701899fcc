"""A file system in user space that stops to answer, as a network mount does whose server is gone."""

import ctypes
import errno
import os
import pathlib
import stat
import struct
import threading

DEVICE = pathlib.Path("/dev/fuse")
# The opcodes of the FUSE protocol that the kernel sends for a read.
LOOKUP, FORGET, GETATTR, OPEN, READ, INIT, OPENDIR, READDIR = 1, 2, 3, 14, 15, 26, 27, 28
ROOT_NODE, FILE_NODE = 1, 2
DETACH = 2
# Of an open file: its close is not told, for which a process would wait even when it is killed.
NO_FLUSH = 32


def can_be_mounted() -> bool:
    """Whether this user may mount one."""
    return os.geteuid() == 0 and os.access(DEVICE, os.R_OK | os.W_OK)


class HungFileSystem:
    """Mounted on a folder. Each name ending in .txt is a file of the same size. The first operation
    of a kind is the last that is answered; a read is not, nor is anything without a kind."""

    def __init__(self, folder: pathlib.Path, size: int, last: int | None = OPEN):
        self.folder, self.size, self.last = folder, size, last
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.device = os.open(DEVICE, os.O_RDWR)
        options = f"fd={self.device},rootmode=40000,user_id=0,group_id=0".encode()
        if self.libc.mount(b"hung", bytes(folder), b"fuse", 0, options) != 0:
            os.close(self.device)
            raise OSError(ctypes.get_errno(), "mount")
        self.hangs = threading.Event()
        if last is not None:
            threading.Thread(target=self._serve, daemon=True).start()
        else:
            self.hangs.set()

    def __enter__(self) -> "HungFileSystem":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.libc.umount2(bytes(self.folder), DETACH)
        # Whoever waits for an answer gets an error.
        os.close(self.device)

    def _serve(self) -> None:
        """Answer up to the last. What comes then is never taken, so that a process that waits for
        it can be killed."""
        while True:
            try:
                request = os.read(self.device, 1 << 20)
            except OSError:
                return  # It was unmounted.
            _, opcode, unique, node = struct.unpack_from("=IIQQ", request)
            if opcode == READ == self.last:
                self.hangs.set()
                return
            answer = self._answer(opcode, node, request[40:])
            error = -answer if isinstance(answer, int) else 0
            content = b"" if isinstance(answer, int) else answer
            if opcode != FORGET:
                os.write(self.device, struct.pack("=IiQ", 16 + len(content), error, unique) + content)
            if opcode == self.last:
                self.hangs.set()
                return

    def _answer(self, opcode: int, node: int, rest: bytes) -> bytes | int:
        if opcode == INIT:
            return struct.pack("=IIIIHHIIHH8I", 7, 36, 0, 0, 8, 8, 4096, 1, 1, 0, *[0] * 8)
        if opcode == LOOKUP:
            if not rest.rstrip(b"\0").endswith(b".txt"):
                return errno.ENOENT
            return struct.pack("=QQQQII", FILE_NODE, 0, 60, 60, 0, 0) + self._attributes(FILE_NODE)
        if opcode == GETATTR:
            return struct.pack("=QII", 60, 0, 0) + self._attributes(node)
        if opcode in (OPEN, OPENDIR):
            return struct.pack("=QII", 1, NO_FLUSH if opcode == OPEN else 0, 0)
        if opcode == READDIR:
            return b""
        return errno.ENOSYS

    def _attributes(self, node: int) -> bytes:
        is_root = node == ROOT_NODE
        mode = (stat.S_IFDIR if is_root else stat.S_IFREG) | 0o755
        numbers = node, self.size, 1, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0
        return struct.pack("=6Q10I", *numbers)
