"""What a server has answered."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Any, NoReturn, Protocol

from oauth2_sansio.errors import printable

from .decoding import GzipDecoder
from .errors import HTTPStatusError, LocalProtocolError, RemoteProtocolError
from .headers import Headers
from .request import Request
from .tls import PIECE
from .urls import without_query


class Body(Protocol):
    """Where the bytes of an answer come from."""

    async def read(self) -> bytes:
        """Return the next bytes; nothing at the end."""
        ...

    def close(self) -> None:
        """Give up what was not read."""
        ...


class Response:
    """An answer.

    request: what it answers.
    content: the whole body, where it is here already.
    body: where it comes from, where it is not.

    Tests may build one themselves: `Response(200, content=b"{}")`. One task at a time may read it.
    """

    def __init__(
        self,
        status_code: int,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        content: bytes | None = b"",
        *,
        request: Request | None = None,
        reason_phrase: str = "",
        http_version: str = "HTTP/1.1",
        body: Body | None = None,
    ) -> None:
        self.status_code = status_code
        self.reason_phrase = reason_phrase
        self.headers = headers if isinstance(headers, Headers) else Headers(headers)
        self.http_version = http_version
        self._request = request
        self._content = None if body is not None else content
        self._body = body
        self._is_given_up = False
        self._decoder = (
            GzipDecoder()
            if body is not None
            and "content-encoding" in self.headers
            and self.headers["content-encoding"].lower() in ("gzip", "x-gzip")
            else None
        )

    @property
    def request(self) -> Request:
        """What this answers.

        Raises `LocalProtocolError` for an answer that a test has built without one.
        """
        if self._request is None:
            raise LocalProtocolError("this answer was built without a request")
        return self._request

    @property
    def url(self) -> str:
        """Where the answer comes from."""
        return self.request.url

    @property
    def is_success(self) -> bool:
        """Whether the status is between 200 and 299."""
        return 200 <= self.status_code < 300

    @property
    def is_closed(self) -> bool:
        """Whether the body was read to its end, or given up."""
        return self._body is None

    @property
    def content(self) -> bytes:
        """The body, decoded.

        Raises `LocalProtocolError` for a streamed answer that `aread` has not read.
        """
        if self._content is None:
            raise LocalProtocolError("the body was not read: await aread() first")
        return self._content

    @property
    def text(self) -> str:
        """The body as text, in the charset that the server names, or else in UTF-8."""
        match = _CHARSET.search(self.headers.get("content-type", ""))
        if match is not None and match[1].lower() not in _NO_CHARSETS:
            try:
                return self.content.decode(match[1], "replace")
            except (LookupError, ValueError):
                pass
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """Return the value that the body describes as JSON.

        Raises ValueError for what is no JSON.
        """
        try:
            return json.loads(self.content)
        except RecursionError:
            pass
        raise ValueError("the JSON is nested too deeply")

    def raise_for_status(self) -> Response:
        """Return this answer if its status is a success.

        Raises `HTTPStatusError` otherwise.
        """
        if self.is_success:
            return self
        place = "" if self._request is None else f" from {without_query(self._request.url)}"
        said = printable(f"{self.status_code} {self.reason_phrase}".strip(), 100)
        raise HTTPStatusError(f"{said}{place}", status_code=self.status_code, response=self)

    async def aread(self, *, limit: int | None = None, decode: bool = True) -> bytes:
        """Read the body, keep it as `content`, and return it.

        limit: stop after more bytes than this, and close the connection; one byte more than the
            limit is returned then.
        decode: False returns a gzip encoded body as it is.
        Raises `HTTPError` where it does not come whole.
        """
        if self._content is None:
            pieces = bytearray()
            read = self._read_decoded if decode else self._read_raw
            while piece := await read():
                pieces += piece
                if limit is not None and len(pieces) > limit:
                    del pieces[limit + 1 :]
                    self._give_up()
                    break
            self._content = bytes(pieces)
        return self._content

    def iter_bytes(self) -> AsyncIterator[bytes]:
        """Iterate over the decoded body, in pieces of at most 64 KiB."""
        return _Pieces(self._read_decoded, self._content)

    def iter_raw(self) -> AsyncIterator[bytes]:
        """Iterate over the body as it comes, gzip encoded or not."""
        return _Pieces(self._read_raw, self._content)

    async def aclose(self) -> None:
        """Give up what was not read; the connection is closed then."""
        self._give_up()

    def __repr__(self) -> str:
        return f"<Response {self.status_code}>"

    def __getstate__(self) -> NoReturn:
        raise TypeError("a Response is not pickled or copied: it may hold secrets")

    async def _read_raw(self) -> bytes:
        self._check_readable()
        if self._body is None:
            return b""
        try:
            piece = await self._body.read()
        except BaseException:
            self._give_up()
            raise
        if not piece:
            self._body = None
        return piece

    async def _read_decoded(self) -> bytes:
        decoder = self._decoder
        if decoder is None:
            return await self._read_raw()
        try:
            self._check_readable()
            while not (decoded := decoder.take(PIECE)):
                raw = await self._read_raw()
                if not raw:
                    decoder.finish()
                    break
                decoder.feed(raw)
        except RemoteProtocolError:
            self._give_up()
            self._is_given_up = True  # where all of it has come, too
            raise
        return decoded

    def _check_readable(self) -> None:
        if self._is_given_up:
            raise LocalProtocolError("the answer was closed before it was read")

    def _give_up(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None
            self._is_given_up = True


class _Pieces:
    """The pieces of a body; no asynchronous generator, since those have to be closed."""

    __slots__ = ("_content", "_read")

    def __init__(self, read: Callable[[], Awaitable[bytes]], content: bytes | None) -> None:
        self._read = read
        self._content = content

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._content is None:
            piece = await self._read()
        else:
            piece, self._content = self._content, b""
        if not piece:
            raise StopAsyncIteration
        return piece


_CHARSET = re.compile(r";\s*charset=\"?([^\s\";]+)", re.IGNORECASE)
# Python knows these as encodings of text, but they are none that a server sends.
_NO_CHARSETS = frozenset(
    {"idna", "punycode", "raw_unicode_escape", "raw-unicode-escape", "undefined"}
    | {"unicode_escape", "unicode-escape"}
)
