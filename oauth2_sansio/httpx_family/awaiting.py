"""The asynchronous client of a library of httpx's shape, under asyncio and under trio."""

from __future__ import annotations

from typing import Any, Unpack, cast

from ..answers import MAXIMUM_BODY
from ..driving import drive_async
from ..errors import LocalProtocolError, OAuth2Error
from ..events import RequestFailed, RequestToSend, ResponseReceived, T
from ..flow import Flow
from ..waiting.awaiting import AwaitingVocabulary
from ..waiting.clock import now
from ..waiting.tasks import EventLoop, current_loop
from .clients import AtEndpoint, FamilyVocabulary
from .library import RequestOptions, keep_within_limit


class AwaitingClient(AwaitingVocabulary[Any], FamilyVocabulary):
    """The asynchronous half: inherited before the library's own `AsyncClient`."""

    async def request(self, method: str, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send a request with the token in it, renewed before if it has expired.

        The options are those of the library's client, and `withhold_token`. Where the server
        refuses the token as invalid, it is renewed and the request repeated, once, if it can be
        repeated.
        Raises `OAuthError` before anything is sent where there is no usable token.
        """
        self._loop_to_use()
        self._authorize(cast("dict[str, Any]", options))
        return await super().request(method, url, **options)  # type: ignore[misc]  # the library's

    def stream(self, method: str, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send a request as `request` does, and return a context manager of its response."""
        self._loop_to_use()
        self._authorize(cast("dict[str, Any]", options))
        return super().stream(method, url, **options)  # type: ignore[misc]  # the library's

    async def get(self, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send a GET; see `request`."""
        return await self.request("GET", url, **options)

    async def options(self, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send an OPTIONS; see `request`."""
        return await self.request("OPTIONS", url, **options)

    async def head(self, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send a HEAD; see `request`."""
        return await self.request("HEAD", url, **options)

    async def post(self, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send a POST; see `request`."""
        return await self.request("POST", url, **options)

    async def put(self, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send a PUT; see `request`."""
        return await self.request("PUT", url, **options)

    async def patch(self, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send a PATCH; see `request`."""
        return await self.request("PATCH", url, **options)

    async def delete(self, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send a DELETE; see `request`."""
        return await self.request("DELETE", url, **options)

    async def aclose(self) -> None:
        """Save what could not be saved before, and close the connections.

        A renewal that is running ends first. Raises `UnsavedTokenError` if something still cannot
        be saved.
        """
        try:
            await self._save_all(self._flights())
        finally:
            await super().aclose()  # type: ignore[misc]  # the library's

    async def __aexit__(self, *exception: object) -> None:
        # The library's own does not call `aclose`.
        try:
            await self._save_all(self._flights())
        finally:
            await super().__aexit__(*exception)  # type: ignore[misc]  # the library's

    def _token_client_class(self) -> type[Any]:
        client_class: type[Any] = self.library.AsyncClient
        return client_class

    async def _perform(self, flow: Flow[T]) -> tuple[T, Any]:
        loop = self._loop_to_use()
        options, http_auth, hooks, deadline = self._options_of(flow)
        responses: list[Any] = []
        client = self._endpoint_client

        async def exchange(request: RequestToSend) -> ResponseReceived:
            built = self._built(client, request, options)
            try:
                with AtEndpoint():
                    response = await client.send(
                        built, auth=http_auth, follow_redirects=False, stream=True
                    )
            except self.library.HTTPStatusError as error:  # from an event hook of the user
                response = self.library.response_of(error)
            if self.library.is_unread(response):
                self.library.fill(response, await self._read_within_limit(response.stream))
            return self._received(response, hooks, responses)

        async def send(request: RequestToSend) -> ResponseReceived | RequestFailed:
            try:
                return await loop.within(deadline, lambda: exchange(request), self._late)
            except self.library.failures as error:
                return self.library.failed(error, request)

        try:
            result = await drive_async(flow, send, loop.sleep, now, self._signs)
            return result, responses[-1] if responses else None
        except OAuth2Error as error:
            raise self.library.as_library_error(error, responses) from None

    async def _read_within_limit(self, stream: Any) -> bytes:
        body, beyond = bytearray(), 0
        try:
            async for chunk in stream:
                if not beyond:
                    if keep_within_limit(body, chunk):
                        continue
                    # Not left at once: the generators below, which only the collector would end,
                    # end by themselves when they find the connection closed.
                    await stream.aclose()
                beyond += len(chunk)
                if beyond > MAXIMUM_BODY:
                    break
        except self.library.failures:
            if not beyond:
                raise
        finally:
            await stream.aclose()
        return bytes(body)

    def _loop_to_use(self) -> EventLoop:
        self._check_open()
        home: EventLoop | None = self._kept.home
        if home is None or self._is_forked or not home.is_current():
            if home is not None:
                if not (self._is_forked or home.has_ended()):
                    raise LocalProtocolError(
                        "this client is in use in another event loop",
                        advice="use one client in one event loop at a time",
                    )
                # The connections that are left belong to that loop.
                self._leave_connections()
            home = self._kept.home = current_loop()
        return home
