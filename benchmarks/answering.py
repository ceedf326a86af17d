"""A server that answers every request in the same way, in a process of its own."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from .measuring import ENVIRONMENT, ROOT

_ANSWER = (
    b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}'
)
_END_OF_HEAD = b"\r\n\r\n"
_END_OF_CHUNKS = b"0\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)


@contextmanager
def answering() -> Iterator[int]:
    """Run the server on a loopback port as long as the block lasts."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks", "--answer"],
        cwd=ROOT,
        env={**os.environ, **ENVIRONMENT},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:  # which closes its input: then it ends
        assert process.stdout is not None
        yield int(process.stdout.readline())


def answer() -> None:
    """Be the server: print the port, and answer until the input ends."""
    asyncio.run(_answer())


async def _answer() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Answering, "127.0.0.1", 0, backlog=1_000)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await loop.run_in_executor(None, sys.stdin.read)


class _Answering(asyncio.Protocol):
    """Reads what the cases send, and no more of HTTP than that takes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._received = b""
        self._in_chunks = False

    def data_received(self, data: bytes) -> None:
        self._received += data
        while self._has_whole_request():
            self._transport.write(_ANSWER)

    def _has_whole_request(self) -> bool:
        if not self._in_chunks:
            head, end, rest = self._received.partition(_END_OF_HEAD)
            if not end:
                return False
            if _CHUNKED.search(head) is None:
                length = _LENGTH.search(head)
                size = int(length[1]) if length else 0
                if len(rest) < size:
                    return False
                self._received = rest[size:]
                return True
            self._in_chunks, self._received = True, rest
        if not self._received.endswith(_END_OF_CHUNKS):
            self._received = self._received[-len(_END_OF_CHUNKS) :]
            return False
        self._in_chunks, self._received = False, b""
        return True
