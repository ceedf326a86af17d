"""One request and its answer over a connection of the pool."""

from __future__ import annotations

import re
from math import inf

from .connection import Connection
from .errors import LocalProtocolError
from .headers import Headers
from .pool import Pool
from .request import Request, read_request
from .response import Response
from .settings import TimeLeft


async def exchange(pool: Pool, request: Request, time_left: TimeLeft) -> Response:
    """Send a request, and return its answer with the body yet to be read.

    A request of which anything may have been sent is never sent again. A connection of the pool
    that the server has closed meanwhile is found out before.
    """
    address, head = read_request(request)
    connection = await pool.acquire(address.origin, time_left)
    try:
        answer = await connection.send(head, request.content, time_left)
    except BaseException:
        pool.discard(connection)
        raise
    headers = Headers(
        [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in answer.headers.raw_items()
        ]
    )
    return Response(
        answer.status_code,
        headers,
        request=request,
        reason_phrase=answer.reason.decode("latin-1"),
        http_version=f"HTTP/{answer.http_version.decode('ascii')}",
        body=_IncomingBody(pool, connection, time_left, _idle_seconds(headers)),
    )


class _IncomingBody:
    """The rest of an answer; then the connection goes back to the pool."""

    __slots__ = ("_connection", "_idle_seconds", "_is_being_read", "_pool", "_time_left")

    def __init__(
        self, pool: Pool, connection: Connection, time_left: TimeLeft, idle_seconds: float
    ) -> None:
        self._pool = pool
        self._connection: Connection | None = connection
        self._time_left = time_left
        self._idle_seconds = idle_seconds
        self._is_being_read = False

    async def read(self) -> bytes:
        connection = self._connection
        if connection is None:
            return b""
        if self._is_being_read:
            raise LocalProtocolError("another task is reading this answer")
        self._is_being_read = True
        try:
            piece = await connection.read_body(self._time_left)
        except BaseException:
            self.close()
            raise
        self._is_being_read = False
        if connection.is_complete:
            self._connection = None
            if connection.start_next_cycle():
                self._pool.put_back(connection, self._idle_seconds)
            else:
                self._pool.discard(connection)
        return piece

    def close(self) -> None:
        if self._connection is not None:
            self._pool.discard(self._connection)
            self._connection = None


def _idle_seconds(headers: Headers) -> float:
    # How long the server keeps the connection; less a second for the way.
    if "keep-alive" in headers:
        match = _TIMEOUT.search(headers["keep-alive"])
        if match is not None:
            return int(match[1]) - 1
    return inf


_TIMEOUT = re.compile(r"\btimeout=([0-9]{1,6})", re.ASCII)
