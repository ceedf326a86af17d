"""TCP and TLS connections of trio, as HTTP needs them.

Over TCP the socket itself is used, and not trio's stream: what is sent at once, as nearly every
request is, needs no limit of time and lets no other task run first, since the answer is waited for.

TLS is done here with the memory buffers of `ssl`, and not with `trio.SSLStream`, for two reasons:
closing must not wait, so that a cancelled request closes its connection at once; and before a
connection is used again it has to be known that nothing is left in the buffers, since a second
answer that waits there would be taken for the answer to the next request.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol, TypeVar

import trio

R = TypeVar("R")

PIECE = 65_536
"""Bytes that are read, or handed over for sending, in one step."""


class Stream(Protocol):
    """What a connection needs of its transport."""

    def send_now(self, data: bytes) -> bool: ...

    async def send_rest(self) -> None: ...

    def receive_now(self) -> bytes | None: ...

    async def receive_some(self) -> bytes: ...

    def is_quiet(self) -> bool: ...

    def close(self) -> None: ...


class PlainStream:
    """Bytes over TCP. One task at a time may use it."""

    __slots__ = ("_rest", "_socket", "_tcp")

    def __init__(self, tcp: trio.SocketStream) -> None:
        self._socket = socket.socket(fileno=tcp.socket.detach())
        self._tcp = trio.socket.from_stdlib_socket(self._socket)
        self._rest = memoryview(b"")

    def send_now(self, data: bytes) -> bool:
        """Send what can be sent without waiting; say whether that is all, or `send_rest` is left."""
        sent = self._sent_now(data)
        if sent == len(data):
            return True
        self._rest = memoryview(data)[sent:]
        return False

    async def send_rest(self) -> None:
        """Send the rest."""
        rest, self._rest = self._rest, memoryview(b"")
        while rest:
            await trio.lowlevel.wait_writable(self._socket)
            rest = rest[self._sent_now(rest) :]

    def receive_now(self) -> bytes | None:
        """Return what has come already, as `receive_some` does; None where that has to wait."""
        try:
            return self._socket.recv(PIECE)
        except BlockingIOError:
            return None

    async def receive_some(self) -> bytes:
        """Return what comes next; nothing where the server has ended the connection."""
        received = None
        while received is None:
            if self._socket.fileno() < 0:
                raise trio.ClosedResourceError
            await trio.lowlevel.wait_readable(self._socket)
            received = self.receive_now()
        return received

    def is_quiet(self) -> bool:
        """Tell whether nothing has come that was not read, and the connection is still open."""
        return not self._tcp.is_readable()

    def close(self) -> None:
        """Close the connection at once."""
        self._tcp.close()

    def _sent_now(self, data: bytes | memoryview) -> int:
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0


class TLSStream:
    """Bytes over TLS over TCP. One task at a time may use it."""

    __slots__ = ("_incoming", "_outgoing", "_rest", "_tcp", "_tls")

    def __init__(self, tcp: PlainStream, context: ssl.SSLContext, host: str) -> None:
        self._tcp = tcp
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=host.removesuffix(".")
        )
        self._rest = b""

    async def do_handshake(self) -> None:
        """Agree on keys and check the certificate, which `ssl` does in this call alone.

        Raises `ssl.SSLError` for a bad certificate, and for another protocol than HTTP/1.1.
        """
        await self._do(self._tls.do_handshake)
        if self._tls.selected_alpn_protocol() not in (None, "http/1.1"):
            raise ssl.SSLError("the server and the SSLContext agree on another protocol")

    def send_now(self, data: bytes) -> bool:
        """Encrypt, and send as `PlainStream` does."""
        try:
            self._tls.write(data)
        except ssl.SSLWantReadError:  # new keys are agreed on first
            self._rest = data
            return False
        return self._tcp.send_now(self._outgoing.read())

    async def send_rest(self) -> None:
        """Send the rest."""
        rest, self._rest = self._rest, b""
        if rest:
            await self._do(self._tls.write, rest)
        else:
            await self._tcp.send_rest()

    def receive_now(self) -> bytes | None:
        """Return what has come already, as `receive_some` does; None where that has to wait.

        The socket is read once: there is no end to what TLS may send that holds no data.
        """
        try:
            return self._tls.read(PIECE)
        except ssl.SSLWantReadError:
            received = self._tcp.receive_now()
        if received is not None:
            self._take(received)
            with suppress(ssl.SSLWantReadError):
                return self._tls.read(PIECE)
        return None

    async def receive_some(self) -> bytes:
        """Return what comes next, decrypted; nothing where the server has ended the connection.

        Raises `ssl.SSLError` where it was cut instead (RFC 9112 section 9.8).
        """
        return await self._do(self._tls.read, PIECE)

    def is_quiet(self) -> bool:
        """Tell whether nothing has come that was not read, and the connection is still open."""
        return not (self._tls.pending() or self._incoming.pending) and self._tcp.is_quiet()

    def close(self) -> None:
        """Close the connection at once, without saying goodbye."""
        self._tcp.close()

    async def _do(self, step: Callable[..., R], *arguments: Any) -> R:
        while True:
            try:
                result = step(*arguments)
            except ssl.SSLWantReadError:
                await self._flush()
                self._take(await self._tcp.receive_some())
            else:
                await self._flush()
                return result

    def _take(self, received: bytes) -> None:
        if received:
            self._incoming.write(received)
        else:
            self._incoming.write_eof()

    async def _flush(self) -> None:
        if self._outgoing.pending and not self._tcp.send_now(self._outgoing.read()):
            await self._tcp.send_rest()


def make_context(*, verify: bool) -> ssl.SSLContext:
    """Return settings for TLS with the certificate authorities of this system.

    verify: False accepts any certificate, so that anyone on the way can read and change all.
    """
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
