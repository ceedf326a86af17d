"""The authorization server: from a request to its answer, without any I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from urllib.parse import urlsplit

from oauth2_sansio.events import Endpoint, Pairs, RequestFailed, RequestToSend, ResponseReceived

from .authorization_endpoint import answer_authorization, read_callback
from .backchannel import answer_backchannel_request
from .configuration import RegisteredClient, ServerSettings, User
from .determinism import Clock, SeededBytes
from .device_authorization import answer_device_request
from .grants import GRANTS
from .ledger import IssuedToken
from .messages import IncomingRequest, Refusal, origin_of, read_request
from .metadata import metadata_handlers
from .misbehaviour import AnswerLost, Misbehaviour
from .proofs import with_nonce
from .protected_resource import answer_resource_request
from .pushed_authorization import answer_pushed_request
from .resource_metadata import with_metadata_url
from .schedule import Switch
from .signed_answers import answer_keys
from .state import PATHS, GrantFunction, Handler, ServerState
from .token_endpoint import answer_token_request
from .token_status import answer_introspection, answer_revocation

HANDLERS: Mapping[Endpoint, Handler] = MappingProxyType(
    {
        Endpoint.AUTHORIZATION: answer_authorization,
        Endpoint.TOKEN: answer_token_request,
        Endpoint.REVOCATION: answer_revocation,
        Endpoint.INTROSPECTION: answer_introspection,
        Endpoint.PUSHED_AUTHORIZATION: answer_pushed_request,
        Endpoint.DEVICE_AUTHORIZATION: answer_device_request,
        Endpoint.BACKCHANNEL_AUTHENTICATION: answer_backchannel_request,
        Endpoint.JWKS: answer_keys,
        Endpoint.RESOURCE: answer_resource_request,
    }
)
"""What answers at each endpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """A request that came, and what became of it.

    endpoint: where it arrived; `None` if nothing is there, or if it could not be read.
    parameters: those of the query and of the posted form.
    response: `None` if no answer went out.
    """

    endpoint: Endpoint | None
    request: RequestToSend
    parameters: Pairs = field(repr=False)
    response: ResponseReceived | None


class AuthorizationServer:
    """An authorization server and a protected resource, for tests, without I/O.

    issuer: its issuer identifier; all its URLs begin with it.
    clients: the clients that it knows.
    now: returns the time in seconds since the epoch; a clock that stands still if left out.
    random_bytes: returns so many bytes; the same in every run if left out.
    user: who is at the browser when a request comes to the authorization endpoint.
    grants: what the token endpoint does for each `grant_type`.
    lock: held while a request is answered; give a `threading.RLock()` where threads share the
        server.

    A request for a host that is not the issuer's, and for a path where nothing is, gets a 404.
    Raises `ValueError` for an issuer that is no http or https URL.
    """

    def __init__(
        self,
        *,
        issuer: str = "https://as.example.com",
        clients: Iterable[RegisteredClient] = (),
        settings: ServerSettings | None = None,
        now: Callable[[], float] | None = None,
        random_bytes: Callable[[int], bytes] | None = None,
        user: User | None = None,
        grants: Mapping[str, GrantFunction] = GRANTS,
        lock: AbstractContextManager[object] | None = None,
    ) -> None:
        parts = urlsplit(issuer)
        if parts.scheme not in ("https", "http") or not parts.netloc or parts.query:
            raise ValueError(f"an issuer is an http or https URL without a query, not {issuer!r}")
        self.user = user or User()
        self._state = ServerState(
            issuer=issuer,
            settings=settings or ServerSettings(),
            clients={client.client_id: client for client in clients},
            now=now or Clock(),
            random_bytes=random_bytes or SeededBytes(),
            grants=grants,
        )
        self.lock = lock or nullcontext()
        self._log: list[LogEntry] = []

    @property
    def issuer(self) -> str:
        """The issuer identifier."""
        return self._state.issuer

    @property
    def settings(self) -> ServerSettings:
        """What the server is like; may be replaced at any time."""
        return self._state.settings

    @settings.setter
    def settings(self, settings: ServerSettings) -> None:
        self._state.settings = settings

    def url(self, endpoint: Endpoint) -> str:
        """Return the URL of an endpoint; of the protected resource, the one above all its paths."""
        return self._state.url(endpoint)

    def endpoint_at(self, url: str) -> Endpoint | None:
        """Return which endpoint is at a URL, or `None` if nothing is there."""
        try:
            return self._route(origin_of(url), urlsplit(url).path)[0]
        except (Refusal, ValueError):
            return None

    def handle(self, request: RequestToSend, certificate: bytes | None = None) -> ResponseReceived:
        """Answer a request. Whatever the request is, this gives an answer.

        certificate: the one that the client has shown, as DER.
        Raises `AnswerLost` where a misbehaviour wants that no answer comes.
        """
        return self._handle(request, self.user, certificate)

    def send(
        self, request: RequestToSend, certificate: bytes | None = None
    ) -> ResponseReceived | RequestFailed:
        """Answer a request, or report that no answer came: the `send` of `drive`.

        certificate: see `handle`.
        """
        try:
            return self.handle(request, certificate)
        except AnswerLost as lost:
            return RequestFailed(lost, sent=lost.sent)

    async def send_async(self, request: RequestToSend) -> ResponseReceived | RequestFailed:
        """Do the same for `drive_async`."""
        return self.send(request)

    def visit(self, authorization_url: str, user: User | None = None) -> str:
        """Go to the authorization endpoint as a user with a browser.

        user: who that is; the server's own user if left out.
        Returns the URL of the callback, or with `response_mode=form_post` the body of the form that
        the browser posts there.
        Raises `AuthorizationRefused` if the server shows an error page, and `AnswerLost`.
        """
        request = RequestToSend(
            endpoint=Endpoint.AUTHORIZATION, method="GET", url=authorization_url
        )
        return read_callback(self._handle(request, user or self.user))

    def decide(self, code: str, user: User | None = None) -> None:
        """Decide now, as a user who has been asked on another device.

        code: the `user_code`, the `device_code`, or the `auth_req_id`.
        user: who decides, and how; the server's own user if left out.
        Raises `LookupError` where nobody was asked.
        """
        with self.lock:
            decision = self._state.ledger.decision(code)
            if decision is None:
                raise LookupError("nobody was asked by this code")
            decision.decide(user or self.user, self._state.now())

    def notifications(self) -> tuple[RequestToSend, ...]:
        """Return what the server would send to clients by now, each once: whose user has decided.

        The server does no I/O: hand them to what stands for the client's notification endpoint, or
        send them there (CIBA Core section 10.2).
        """
        with self.lock:
            return self._state.ledger.take_notifications(self._state.now())

    def misbehave(
        self,
        misbehaviour: Misbehaviour,
        *,
        times: int | None = None,
        endpoint: Endpoint | None = None,
    ) -> Switch:
        """Do something wrong, from the next request on.

        times: how often; always if left out.
        endpoint: where; if left out, where such a thing happens: what concerns tokens at the token
            endpoint and so on, and everything else at any endpoint but that for the browser.
        Returns a switch: use it in a `with` statement, or call its `off`, to end the misbehaviour.
        Raises `ValueError` if it cannot happen at that endpoint.
        """
        return self._state.schedule.switch_on(misbehaviour, times, endpoint)

    def behave(self) -> None:
        """Switch all misbehaviours off."""
        self._state.schedule.switch_off()

    @property
    def log(self) -> tuple[LogEntry, ...]:
        """All requests that came, in their order."""
        return tuple(self._log)

    def count(self, endpoint: Endpoint | None = None, *, grant_type: str | None = None) -> int:
        """Return how many requests came: all, or those to one endpoint, or for one grant type."""
        return sum(
            (endpoint is None or entry.endpoint is endpoint)
            and (grant_type is None or ("grant_type", grant_type) in entry.parameters)
            for entry in self._log
        )

    def register(self, client: RegisteredClient) -> None:
        """Make a client known, or replace one."""
        self._state.clients = {**self._state.clients, client.client_id: client}

    def token(self, value: str) -> IssuedToken | None:
        """Return what is known of a token, or `None` if it was never issued."""
        return self._state.ledger.token(value)

    def is_active(self, value: str) -> bool:
        """Return whether a token was issued and still counts."""
        token = self.token(value)
        return token is not None and self._state.ledger.is_active(token, self._state.now())

    def revoke(self, value: str) -> None:
        """Revoke a token and all that came from the same approval, as an administrator might.

        Raises `LookupError` if it was never issued.
        """
        token = self.token(value)
        if token is None:
            raise LookupError("this token was never issued")
        token.family.revoked = True

    def _handle(
        self, request: RequestToSend, user: User, certificate: bytes | None = None
    ) -> ResponseReceived:
        with self.lock:
            entry = LogEntry(endpoint=None, request=request, parameters=(), response=None)
            try:
                incoming = read_request(request, user, certificate)
                entry = replace(entry, parameters=incoming.query + incoming.form)
                endpoint, handler = self._route(incoming.origin, incoming.path)
                entry = replace(entry, endpoint=endpoint)
                response = self._answer(endpoint, handler, incoming)
            except Refusal as refusal:
                response = refusal.answer
            except AnswerLost:
                self._log.append(entry)
                raise
            self._log.append(replace(entry, response=response))
            return response

    def _route(self, origin: str, path: str) -> tuple[Endpoint, Handler]:
        state = self._state
        if origin in state.origins:
            handler = metadata_handlers(state).get(path)
            if handler is not None:
                return Endpoint.METADATA, handler
            for endpoint, handler in HANDLERS.items():
                own = state.path + PATHS[endpoint]
                below = endpoint is Endpoint.RESOURCE and path.startswith(f"{own}/")
                if path == own or below:
                    return endpoint, handler
        raise Refusal("not_found", "There is nothing at this address.", status=404)

    def _answer(
        self, endpoint: Endpoint, handler: Handler, request: IncomingRequest
    ) -> ResponseReceived:
        schedule = self._state.schedule
        instead = schedule.answer_instead(endpoint, request)
        if instead is not None:
            return instead
        try:
            response = handler(self._state, request)
        except Refusal as refusal:
            response = refusal.answer
        response = with_nonce(self._state, endpoint, response)
        response = with_metadata_url(self._state, endpoint, response)
        return schedule.change_answer(endpoint, request, response)

    def __repr__(self) -> str:
        return f"<AuthorizationServer {self.issuer!r}, {len(self._log)} requests>"
