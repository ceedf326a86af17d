"""`HTTPClient`: HTTP/1.1 over trio, with connections that are kept for the next request."""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from math import inf
from types import TracebackType
from typing import Any, NoReturn, Self, Unpack

import trio

from oauth2_sansio.version import __version__
from oauth2_sansio.waiting.forks import remember

from .connection import open_connection
from .errors import DeadlineExceeded, HTTPError, RedirectError, UnusableClientError
from .exchange import exchange
from .headers import Headers
from .pool import Pool
from .redirects import MOST_REDIRECTS, redirected
from .request import (
    HeaderFields,
    Request,
    RequestOptions,
    build_request,
    is_auth,
    with_password,
)
from .response import Response
from .settings import Limits, TimeLeft, Timeout, check_duration
from .tls import make_context


class HTTPClient:
    """Send HTTP requests over trio.

    verify: True checks certificates by the authorities that this system trusts; an
        `ssl.SSLContext` says otherwise; False accepts any certificate, so that anyone on the way
        can read and change all that is sent: for experiments alone.
    headers: go with every request that has none of the same name.
    timeout: how long each single step may take, in seconds.
    deadline: how long a request may take as a whole, its body included, in seconds; without end
        where it is left out.
    limits: of connections.

    It may be made outside of trio. Any number of tasks of one run may share it; a run that begins
    after another has ended may go on with it. Close it at the end: `async with`, or `aclose()`.
    Every request goes through the object's own `send`. There are no cookies, and no proxies.
    """

    def __init__(
        self,
        *,
        verify: bool | ssl.SSLContext = True,
        headers: HeaderFields = (),
        timeout: Timeout | float = Timeout(),  # noqa: B008 - a frozen value
        deadline: float | None = None,
        limits: Limits = Limits(),  # noqa: B008 - a frozen value
    ) -> None:
        self.headers = _DEFAULT_HEADERS.updated(headers)
        self.timeout = Timeout.of(timeout)
        self._longest = inf if deadline is None else check_duration(deadline, "deadline")
        self._verify, self._context = _read_verify(verify)
        self._limits = limits
        self._pool: Pool | None = None
        self._run: trio.lowlevel.TrioToken | None = None
        self._process = 0
        self._binding = threading.Lock()
        self._is_closed = False
        remember(self)

    def after_fork(self) -> None:
        """Do without the lock that a thread of the parent may hold; new connections come by need."""
        self._binding = threading.Lock()

    async def request(self, method: str, url: str, **options: Unpack[RequestOptions]) -> Response:
        """Send a request, and return its answer with the whole body read.

        options: see `RequestOptions`.
        Raises `HTTPError` where no answer comes; one of 4xx or 5xx is an answer.
        """
        return await self._ask(method, url, options, stream=False)

    @asynccontextmanager
    async def stream(
        self, method: str, url: str, **options: Unpack[RequestOptions]
    ) -> AsyncGenerator[Response, None]:
        """Send a request, and give its answer with the body yet to be read, in an `async with`.

        What was not read at the end of the block is given up. Else as `request`.
        """
        response = await self._ask(method, url, options, stream=True)
        try:
            yield response
        finally:
            await response.aclose()

    async def get(self, url: str, **options: Unpack[RequestOptions]) -> Response:
        """Send a GET; see `request`."""
        return await self.request("GET", url, **options)

    async def head(self, url: str, **options: Unpack[RequestOptions]) -> Response:
        """Send a HEAD; see `request`."""
        return await self.request("HEAD", url, **options)

    async def options(self, url: str, **options: Unpack[RequestOptions]) -> Response:
        """Send an OPTIONS; see `request`."""
        return await self.request("OPTIONS", url, **options)

    async def post(self, url: str, **options: Unpack[RequestOptions]) -> Response:
        """Send a POST; see `request`."""
        return await self.request("POST", url, **options)

    async def put(self, url: str, **options: Unpack[RequestOptions]) -> Response:
        """Send a PUT; see `request`."""
        return await self.request("PUT", url, **options)

    async def patch(self, url: str, **options: Unpack[RequestOptions]) -> Response:
        """Send a PATCH; see `request`."""
        return await self.request("PATCH", url, **options)

    async def delete(self, url: str, **options: Unpack[RequestOptions]) -> Response:
        """Send a DELETE; see `request`."""
        return await self.request("DELETE", url, **options)

    async def send(self, request: Request, *, stream: bool = False) -> Response:
        """Send one request as it stands, and return its answer; a redirect is an answer too.

        Every request of this client comes through here, so this is the place to override, or to
        put a test's double in.

        stream: leave the body to be read by the caller, who has to close the answer.
        """
        pool = self._pool_of_this_run()
        time_left = TimeLeft(
            self.timeout if request.timeout is None else request.timeout,
            self._longest if request.deadline is None else request.deadline,
        )
        response = await exchange(pool, request, time_left)
        if not stream:
            await response.aread()
        return response

    async def aclose(self) -> None:
        """Close all connections, those in use too. The client cannot be used afterwards."""
        if not self._is_closed:
            pool = None if self._pool is None else self._pool_of_this_run()
            self._is_closed = True
            if pool is not None:
                pool.close()

    async def __aenter__(self) -> Self:
        self._pool_of_this_run()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __getstate__(self) -> NoReturn:
        raise TypeError("a client holds connections, and is not pickled or copied")

    async def _ask(
        self, method: str, url: str, options: Mapping[str, Any], *, stream: bool
    ) -> Response:
        request, follow_redirects = self._built(method, url, options)
        return await self._authorized(
            request, options.get("auth"), follow_redirects=follow_redirects, stream=stream
        )

    async def _authorized(
        self, request: Request, auth: object, *, stream: bool, follow_redirects: bool = False
    ) -> Response:
        send = partial(self._follow if follow_redirects else self.send, stream=stream)
        if auth is None:
            return await send(request)
        self._pool_of_this_run()  # so that no token is fetched for a client that is closed
        if is_auth(auth):
            return await auth.exchange(request, send, follows_redirects=follow_redirects)
        return await send(with_password(request, auth))

    def _built(self, method: str, url: str, options: Mapping[str, Any]) -> tuple[Request, bool]:
        # The request, and whether redirects are followed.
        arguments = dict(options)
        follow_redirects: bool = arguments.pop("follow_redirects", False)
        for name in ("auth", "withhold_token"):
            arguments.pop(name, None)
        request = build_request(method, url, default_headers=self.headers, **arguments)
        return request, follow_redirects

    async def _follow(self, request: Request, *, stream: bool) -> Response:
        deadline = self._longest if request.deadline is None else request.deadline
        until = trio.current_time() + deadline
        for _ in range(MOST_REDIRECTS + 1):
            response = await self.send(request, stream=stream)
            try:
                following = redirected(request, response)
                if following is None:
                    return response
                await response.aread(limit=_SHORT)  # so that the connection can be kept
            except HTTPError:
                await response.aclose()
                raise
            left = until - trio.current_time()
            if left <= 0:
                raise DeadlineExceeded(f"the redirects took longer than {deadline:g} seconds")
            request = replace(following, deadline=left)
        raise RedirectError(f"more than {MOST_REDIRECTS} redirects")

    def _pool_of_this_run(self) -> Pool:
        try:
            run = trio.lowlevel.current_trio_token()
        except RuntimeError:
            run = None
        if run is None:
            raise UnusableClientError("this client needs trio: call it inside of trio.run")
        if self._is_closed:
            raise UnusableClientError("the client is closed: make a new one")
        if self._pool is not None and run is self._run and os.getpid() == self._process:
            return self._pool
        with self._binding:
            return self._pool_for(run)

    def _pool_for(self, run: trio.lowlevel.TrioToken) -> Pool:
        if self._pool is not None:
            if self._is_at_work_elsewhere():
                raise UnusableClientError(
                    "the client is at work in another run of trio: make one for each"
                )
            self._pool.abandon()
        self._pool = Pool(self._limits, partial(open_connection, get_context=self._tls_context))
        self._run = run
        self._process = os.getpid()
        return self._pool

    def _is_at_work_elsewhere(self) -> bool:
        if os.getpid() != self._process or self._run is None:
            return False  # of a fork's connections those of the parent are copies
        try:
            self._run.run_sync_soon(_nothing)
        except trio.RunFinishedError:
            return False
        return True

    def _tls_context(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = make_context(verify=self._verify)
        return self._context


def _read_verify(verify: Any) -> tuple[bool, ssl.SSLContext | None]:
    match verify:
        case ssl.SSLContext():
            return True, verify
        case bool():
            return verify, None
        case _:  # None, an empty text or 0, say from a setting, must not mean: unsafe
            raise TypeError("verify is True, an ssl.SSLContext, or False")


_DEFAULT_HEADERS = Headers(
    (
        ("Accept", "*/*"),
        ("Accept-Encoding", "gzip"),
        ("User-Agent", f"oauth2-sansio/{__version__}"),
    )
)
_SHORT = 65_536  # bytes of the body of a redirect


def _nothing() -> None:
    """Do nothing: whether it can be asked for tells whether a run goes on."""
