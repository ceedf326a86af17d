"""The blocking client of a library of httpx's shape."""

from __future__ import annotations

from typing import Any, Unpack, cast

from ..driving import drive
from ..errors import OAuth2Error
from ..events import RequestFailed, RequestToSend, ResponseReceived, T
from ..flow import Flow
from ..waiting.blocking import BlockingVocabulary
from ..waiting.clock import now, sleep
from ..waiting.own_connection import KeptConnectionError, OwnConnection
from ..waiting.threads import call_within
from .clients import AtEndpoint, FamilyVocabulary
from .library import RequestOptions, keep_within_limit


class BlockingClient(BlockingVocabulary[Any], FamilyVocabulary):
    """The blocking half: inherited before the library's own `Client`."""

    def request(self, method: str, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send a request with the token in it, renewed before if it has expired.

        The options are those of the library's client, and `withhold_token`. Where the server
        refuses the token as invalid, it is renewed and the request repeated, once, if it can be
        repeated.
        Raises `OAuthError` before anything is sent where there is no usable token.
        """
        self._ready(cast("dict[str, Any]", options))
        return super().request(method, url, **options)  # type: ignore[misc]  # the library's

    def stream(self, method: str, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send a request as `request` does, and return a context manager of its response."""
        self._ready(cast("dict[str, Any]", options))
        return super().stream(method, url, **options)  # type: ignore[misc]  # the library's

    def get(self, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send a GET; see `request`."""
        return self.request("GET", url, **options)

    def options(self, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send an OPTIONS; see `request`."""
        return self.request("OPTIONS", url, **options)

    def head(self, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send a HEAD; see `request`."""
        return self.request("HEAD", url, **options)

    def post(self, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send a POST; see `request`."""
        return self.request("POST", url, **options)

    def put(self, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send a PUT; see `request`."""
        return self.request("PUT", url, **options)

    def patch(self, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send a PATCH; see `request`."""
        return self.request("PATCH", url, **options)

    def delete(self, url: Any, **options: Unpack[RequestOptions]) -> Any:
        """Send a DELETE; see `request`."""
        return self.request("DELETE", url, **options)

    def close(self) -> None:
        """Save what could not be saved before, and close the connections.

        A renewal that is running ends first. Raises `UnsavedTokenError` if something still cannot
        be saved.
        """
        try:
            self._save_all(self._flights())
        finally:
            super().close()  # type: ignore[misc]  # the library's

    def __exit__(self, *exception: object) -> None:
        # The library's own does not call `close`.
        try:
            self._save_all(self._flights())
        finally:
            super().__exit__(*exception)  # type: ignore[misc]  # the library's

    def _ready(self, options: dict[str, Any]) -> None:
        self._leave_to_a_parent()
        self._authorize(options)

    def _leave_to_a_parent(self) -> None:
        if self._is_forked:
            self._leave_connections()

    def _token_client_class(self) -> type[Any]:
        client_class: type[Any] = self.library.Client
        return client_class

    def _perform(self, flow: Flow[T]) -> tuple[T, Any]:
        client = self._check_open()
        self._leave_to_a_parent()
        options, http_auth, hooks, deadline = self._options_of(flow)
        responses: list[Any] = []

        def exchange(request: RequestToSend, connection: OwnConnection) -> ResponseReceived:
            built = self._built(client, request, options)
            connection.follow(built.extensions)
            try:
                response = self._sent(client, built, http_auth)
                if self.library.is_unread(response):
                    self._read(response)
            finally:
                connection.let_go()
            if connection.ended:  # a body that lasts until the end of the connection looks whole
                raise self._late()
            return self._received(response, hooks, responses)

        def send(request: RequestToSend) -> ResponseReceived | RequestFailed:
            connection = OwnConnection()
            try:
                return call_within(
                    deadline, lambda: exchange(request, connection), self._late, connection.end
                )
            except self.library.failures as error:
                return self.library.failed(error, request)

        try:
            return drive(flow, send, sleep, now, self._signs), responses[-1] if responses else None
        except OAuth2Error as error:
            raise self.library.as_library_error(error, responses) from None

    def _sent(self, client: Any, request: Any, http_auth: Any) -> Any:
        while True:
            try:
                with AtEndpoint():
                    return client.send(request, auth=http_auth, follow_redirects=False, stream=True)
            except KeptConnectionError:  # that one is closed now, and there are finitely many
                continue
            except self.library.HTTPStatusError as error:  # from an event hook of the user
                return self.library.response_of(error)

    def _read(self, response: Any) -> None:
        stream, body = response.stream, bytearray()
        try:
            for chunk in stream:
                if not keep_within_limit(body, chunk):
                    break
        finally:
            stream.close()
        self.library.fill(response, bytes(body))
