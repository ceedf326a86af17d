"""The connection of one blocking exchange, which a deadline can end from another thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from contextlib import suppress
from socket import SHUT_RDWR
from threading import Lock
from typing import Any

# Whatever the connection is for, a proxy or the server, and whatever it is made of.
_CONNECTED = (".connect_tcp.complete", ".connect_unix_socket.complete")
_BEFORE_SENDING = "http11.send_request_headers.started"


class KeptConnectionError(Exception):
    """A request with credentials was about to go over a connection that was there already."""


class OwnConnection:
    """The connection that an exchange opens, as the library's `trace` extension tells of it.

    An exchange that is late runs in a thread that nothing else ends: a hostile server can let it
    read for ever, a byte at a time. Nor may it be left alone with its socket: a client that is
    closed gives the number of the socket free, and the thread would read from whatever connection
    gets that number next.

    ended: whether `end` was called. What was read then may lack its end.
    """

    def __init__(self) -> None:
        self._theirs: Callable[[str, Mapping[str, Any]], object] | None = None
        self._sockets: list[Any] = []
        self.ended = False
        # Between reading the number of a socket and using it, nobody may give the number free.
        self._lock = Lock()

    def follow(self, extensions: MutableMapping[str, Any]) -> None:
        """Have the library tell of a request with these extensions.

        A `trace` of the user's that is there already is told too.
        """
        self._theirs = extensions.get("trace")
        extensions["trace"] = self.trace

    def trace(self, event: str, about: Mapping[str, Any]) -> None:
        """Take note of what the library does.

        Raises `KeptConnectionError` before the request goes over a connection of others, over which
        a server may have sent ahead, and which nobody here could end.
        """
        if event.endswith(_CONNECTED):
            # A socket of our own for the same connection: the library's changes hands with TLS.
            self._sockets.append(about["return_value"].get_extra_info("socket").dup())
            if self.ended:
                self.end()
        elif event == _BEFORE_SENDING and not self._sockets:
            raise KeptConnectionError
        if self._theirs is not None:
            self._theirs(event, about)

    def end(self) -> None:
        """End the connection: whoever reads from it finds nothing more."""
        self.ended = True
        with self._lock:
            for each in self._sockets:
                with suppress(OSError):  # it has ended by itself, or was let go
                    each.shutdown(SHUT_RDWR)

    def let_go(self) -> None:
        """Leave the connection to the library."""
        with self._lock:
            for each in self._sockets:
                each.close()
