"""The one content coding that this client asks for: gzip (RFC 9110 section 8.4.1.3)."""

from __future__ import annotations

import zlib

from .errors import RemoteProtocolError

_GZIP = 31  # zlib's number for: a gzip header, and the largest window


class GzipDecoder:
    """Decodes as much as is asked for at a time, so that no bomb goes off."""

    __slots__ = ("_begun", "_has_more", "_input", "_member")

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self._input = b""
        self._has_more = False  # zlib may hold back output that was over the last limit
        self._begun = False

    def feed(self, data: bytes) -> None:
        """Take in what came; only after `take` has returned nothing."""
        self._input = data
        self._begun = True

    def take(self, limit: int) -> bytes:
        """Return at most so many decoded bytes; nothing where more has to be fed.

        Raises `RemoteProtocolError` for what is not gzip.
        """
        while self._input or self._has_more:
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP)  # one member may follow another
            try:
                decoded = self._member.decompress(self._input, limit)
            except zlib.error:
                break
            self._input = self._member.unconsumed_tail or self._member.unused_data
            self._has_more = len(decoded) == limit and not self._member.eof
            if decoded:
                return decoded
        else:
            return b""
        raise RemoteProtocolError("the body is not gzip, though its Content-Encoding says so")

    def finish(self) -> None:
        """Say that nothing more comes.

        Raises `RemoteProtocolError` if something is missing.
        """
        if self._begun and not self._member.eof:
            raise RemoteProtocolError("the gzip encoded body is cut off")
