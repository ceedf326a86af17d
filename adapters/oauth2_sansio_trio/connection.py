"""One connection: HTTP/1.1 by h11 over a stream of trio."""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncIterable, Callable

import h11
import trio

from oauth2_sansio.errors import printable

from .errors import (
    ConnectError,
    LocalProtocolError,
    ReadError,
    RemoteProtocolError,
    WriteError,
)
from .request import Content
from .settings import Step, TimeLeft
from .tls import PIECE, PlainStream, Stream, TLSStream
from .urls import Origin

MAXIMUM_HEAD = 65_536
"""Bytes of status line and headers that are waited for."""

MOST_INTERIM_ANSWERS = 20
"""How many answers with a status below 200 may come before the real one."""


class Connection:
    """A connection that carries one request after the other.

    Whoever uses it closes it after any exception, cancellation too: what would come next over it is
    not known.
    """

    __slots__ = ("_h11", "_stream", "idle_until", "is_complete", "origin")

    def __init__(self, origin: Origin, stream: Stream) -> None:
        self.origin = origin
        self.idle_until = 0.0
        self.is_complete = False  # whether the present answer was read to its end
        self._stream = stream
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAXIMUM_HEAD)

    async def send(self, head: h11.Request, content: Content, time_left: TimeLeft) -> h11.Response:
        """Send a request, and return the head of its answer."""
        self.is_complete = False
        try:
            await self._write_request(head, content, time_left)
        except WriteError as failure:
            # Many a server answers a body that it does not want, and hangs up.
            self._h11.send_failed()
            try:
                return await self._read_head(time_left)
            except (ReadError, RemoteProtocolError):
                raise failure from None
        return await self._read_head(time_left)

    async def read_body(self, time_left: TimeLeft) -> bytes:
        """Return the next piece of the body; nothing at its end."""
        pieces = bytearray()
        while len(pieces) < PIECE:
            event = self._next_event()
            if isinstance(event, h11.Data):
                pieces += event.data
            elif event is h11.NEED_DATA:
                if pieces:
                    break
                self._h11.receive_data(await self._receive(time_left))
            else:
                self.is_complete = True
                break
        return bytes(pieces)

    def start_next_cycle(self) -> bool:
        """Make ready for another request, and tell whether that is possible."""
        if (
            self._h11.our_state is h11.DONE
            and self._h11.their_state is h11.DONE
            and not any(self._h11.trailing_data)
        ):
            self._h11.start_next_cycle()
            return True
        return False

    def is_quiet(self) -> bool:
        """Tell whether it is still open, and nothing has come that nobody asked for."""
        return self._stream.is_quiet()

    def close(self) -> None:
        """Close it at once."""
        self._stream.close()

    async def _write_request(
        self, head: h11.Request, content: Content, time_left: TimeLeft
    ) -> None:
        await trio.lowlevel.checkpoint_if_cancelled()
        first = self._h11.send(head)
        if content is None or (isinstance(content, bytes) and len(content) <= PIECE):
            # What is small goes out together with the head, in one packet if it fits.
            if content:
                first += self._to_bytes(h11.Data(data=content))
            await self._write(first + self._to_bytes(_END), time_left)
            return
        await self._write(first, time_left)
        with time_left.limit(Step.PIECE):
            if isinstance(content, bytes):
                await self._write_piece(memoryview(content), time_left)
            else:
                await self._write_pieces(content, time_left)
            end = self._to_bytes(_END)
            if end:
                await self._write(end, time_left)
            return
        raise time_left.error(self.origin)

    async def _write_pieces(self, content: AsyncIterable[bytes], time_left: TimeLeft) -> None:
        iterator = aiter(content)
        try:
            async for piece in iterator:
                await self._write_piece(memoryview(piece).cast("B"), time_left)
        finally:
            close = getattr(iterator, "aclose", None)  # an asynchronous generator's
            if close is not None:
                await close()

    async def _write_piece(self, piece: memoryview, time_left: TimeLeft) -> None:
        for start in range(0, len(piece), PIECE):
            await trio.lowlevel.checkpoint()  # a fast server must not keep the other tasks waiting
            data = h11.Data(data=bytes(piece[start : start + PIECE]))
            await self._write(self._to_bytes(data), time_left)

    def _to_bytes(self, event: h11.Data | h11.EndOfMessage) -> bytes:
        try:
            return self._h11.send(event)
        except h11.LocalProtocolError:
            pass
        raise LocalProtocolError("the body is not as long as its Content-Length says")

    async def _write(self, data: bytes, time_left: TimeLeft) -> None:
        try:
            if self._stream.send_now(data):
                return
            with time_left.limit(Step.WRITE):
                await self._stream.send_rest()
                return
        except _FAILURES as error:
            raise WriteError(
                f"the connection to {self.origin} failed while the request was sent"
            ) from error
        raise time_left.error(self.origin)

    async def _read_head(self, time_left: TimeLeft) -> h11.Response:
        event: object = h11.NEED_DATA
        interim = 0
        while not isinstance(event, h11.Response):
            if event is h11.NEED_DATA:
                received = await self._receive(time_left)
                if not received:
                    raise ReadError(
                        f"{self.origin} closed the connection before its answer was there"
                    )
                self._h11.receive_data(received)
            elif interim < MOST_INTERIM_ANSWERS:
                interim += 1
            else:
                raise RemoteProtocolError(f"{self.origin} sends one interim answer after another")
            event = self._next_event()
        return event

    async def _receive(self, time_left: TimeLeft) -> bytes:
        await trio.lowlevel.checkpoint()  # meanwhile the answer may come, and nothing has to wait
        try:
            received = self._stream.receive_now()
            if received is None:
                with time_left.limit(Step.READ):
                    return await self._stream.receive_some()
            elif not time_left.is_over(Step.READ):
                return received
        except _FAILURES as error:
            raise ReadError(
                f"the connection to {self.origin} failed before the answer was there"
            ) from error
        raise time_left.error(self.origin)

    def _next_event(self) -> h11.Event | type[h11.NEED_DATA | h11.PAUSED]:
        try:
            return self._h11.next_event()
        except h11.RemoteProtocolError as error:
            fault = _QUOTED.split(str(error), maxsplit=1)[0]
        # Not inside `except`: h11's own exception shows what came.
        raise RemoteProtocolError(
            f"the answer of {self.origin} is not valid HTTP/1.1: {printable(fault, 100)}"
        )


async def open_connection(origin: Origin, get_context: Callable[[], ssl.SSLContext]) -> Connection:
    """Connect.

    get_context: returns the settings for TLS; is called for https alone.
    Raises `ConnectError`.
    """
    try:
        tcp = PlainStream(await trio.open_tcp_stream(origin.host, origin.port))
        if origin.scheme == "http":
            return Connection(origin, tcp)
        try:
            stream = TLSStream(tcp, get_context(), origin.host)
            await stream.do_handshake()
        except BaseException:
            tcp.close()
            raise
    except (*_FAILURES, ValueError) as error:  # ValueError: for a name that DNS cannot hold
        raise ConnectError(f"cannot connect to {origin}{_reason(error)}") from error
    return Connection(origin, stream)


_END = h11.EndOfMessage()
_FAILURES = (OSError, trio.BrokenResourceError, trio.ClosedResourceError)
_QUOTED = re.compile(r": |b['\"]")  # where h11 begins to quote what came


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f": its certificate is refused: {printable(error.verify_message, 200)}"
    if isinstance(error, ssl.SSLError):
        reason = getattr(error, "reason", None) or str(error)  # ours has no `reason`
        return f": TLS fails: {printable(reason, 200)}"
    return ""
