"""The story of the demo: a client, a server, an API and a user, from discovery to revocation."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias, TypeVar
from urllib.parse import parse_qsl, urlsplit

from oauth2_sansio.authorization import PendingAuthorization, generate_token
from oauth2_sansio.client import Client
from oauth2_sansio.driving import drive
from oauth2_sansio.errors import (
    ErrorResponse,
    MismatchingStateError,
    OAuth2Error,
    RemoteProtocolError,
)
from oauth2_sansio.events import Endpoint, RequestFailed, RequestToSend, ResponseReceived
from oauth2_sansio.exchange import no_answer
from oauth2_sansio.flow import Flow
from oauth2_sansio.refusals import is_token_rejected
from oauth2_sansio.resource import authorization_header
from oauth2_sansio.server import Server
from oauth2_sansio.testing import AuthorizationServer, Clock, RegisteredClient
from oauth2_sansio.testing.loopback import serve
from oauth2_sansio.tokens import OAuth2Token

from .recording import CallbackBrought, Check, Exchanged, Party, Step, TimePassed
from .wording import json_members

T = TypeVar("T")
Send: TypeAlias = Callable[[RequestToSend], ResponseReceived | RequestFailed]

_REDIRECT_URI = "http://127.0.0.1/callback"
_USER = "alice"
_LIFETIME = 3600  # seconds, of an access token


def run_demo(
    send: Send, prepare: Callable[[AuthorizationServer], object] = lambda _server: None
) -> tuple[str, list[Step]]:
    """Run the demo on sockets of this machine; return where its server was, and what happened.

    send: sends a request, for `drive`.
    prepare: is called with the server before the first request, to make it misbehave.
    """
    clock = Clock(time.time())
    registered = RegisteredClient(
        client_id="demo",
        client_secret=generate_token(32),
        redirect_uris=(_REDIRECT_URI,),
        scope="read write",
    )

    def build(issuer: str) -> AuthorizationServer:
        return AuthorizationServer(
            issuer=issuer, clients=[registered], now=clock, random_bytes=os.urandom
        )

    with serve(build) as server:
        prepare(server)
        return server.issuer, _Story(server.issuer, registered, send, clock).tell()


class _Story:
    """The steps in their order. Each one goes on with what the ones before it have found."""

    _server: Server
    _client: Client
    _pending: PendingAuthorization
    _callback: str
    _first: OAuth2Token  # from the code
    _second: OAuth2Token  # from the refresh
    _third: OAuth2Token  # from the second login

    def __init__(self, issuer: str, registered: RegisteredClient, send: Send, clock: Clock) -> None:
        self._issuer = issuer
        self._registered = registered
        self._send = send
        self._clock = clock
        self._step = Step("")

    def tell(self) -> list[Step]:
        """Do one step after the other, up to one that an error ends."""
        chapters: dict[str, Callable[[], None]] = {
            "discovery": self._discover,
            "authorization": self._authorize,
            "code for tokens": self._redeem,
            "API call": self._call_api,
            "expiry": self._expire,
            "refresh": self._refresh,
            "replay": self._replay,
            "introspection": self._introspect,
            "new login": self._log_in_again,
            "revocation": self._revoke,
        }
        steps = [Step(title) for title in chapters]
        for step, tell in zip(steps, chapters.values(), strict=True):
            self._step = step
            try:
                tell()
            except OAuth2Error as error:
                self._check(str(error), held=False)  # an error's text holds no secret
                break
        return steps

    # The steps.

    def _discover(self) -> None:
        self._server = self._run(Server.discover(self._issuer))
        self._check("the issuer is the one we asked for", self._server.issuer == self._issuer)
        methods = self._server.code_challenge_methods_supported or ()
        self._check("PKCE with S256 is offered", "S256" in methods)
        self._client = Client(
            server=self._server,
            client_id=self._registered.client_id,
            client_secret=self._registered.client_secret,
        )

    def _authorize(self) -> None:
        self._pending, self._callback = self._log_in()
        self._check("the server sent the browser back", self._callback.startswith(_REDIRECT_URI))
        answer = dict(parse_qsl(urlsplit(self._callback).query))
        self._check("with our state", answer.get("state") == self._pending.state)
        self._check("with its issuer (RFC 9207)", answer.get("iss") == self._issuer)
        forged = f"{_REDIRECT_URI}?code=stolen&state=forged&iss={self._issuer}"
        refused = False
        try:
            self._client.redeem(self._pending, forged)
        except MismatchingStateError:
            refused = True
        self._check("a forged callback sends no request", refused)

    def _redeem(self) -> None:
        stolen = replace(self._pending, code_verifier="not-the-verifier-that-this-login-began-with")
        error = self._refusal(self._client.redeem(stolen, self._callback))
        self._check("another PKCE verifier is refused", error == "invalid_grant")
        self._first = token = self._run(self._client.redeem(self._pending, self._callback))
        self._check("there is a refresh token too", bool(token.refresh_token))
        in_time = token.expires_at == int(self._clock() + _LIFETIME)
        self._check(f"the token expires in {_LIFETIME} seconds", in_time)
        secrets = (token["access_token"], token.refresh_token or "")
        self._check("printing them shows no secret", not any(s in repr(token) for s in secrets))

    def _call_api(self) -> None:
        answer = self._get(self._first)
        self._check("the API lets the client in", answer.status == 200)
        self._check(f"it knows the user: {_USER}", json_members(answer).get("subject") == _USER)

    def _expire(self) -> None:
        now = self._clock
        self._check("the token is fresh", not self._first.is_expired(now=now()))
        now.advance(_LIFETIME)
        self._step.happened.append(TimePassed(_LIFETIME))
        self._check("an hour later it has expired", bool(self._first.is_expired(now=now())))
        self._check("the API refuses it: invalid_token", _is_refused(self._get(self._first)))

    def _refresh(self) -> None:
        before = self._first
        self._second = after = self._run(self._client.refresh(before))
        self._check("the access token is another", after.access_token != before.access_token)
        self._check("the refresh token was rotated", after.refresh_token != before.refresh_token)
        self._check("the API lets the client in", self._get(after).status == 200)

    def _replay(self) -> None:
        error = self._refusal(self._client.refresh(self._first))
        self._check("the used refresh token is refused", error == "invalid_grant")
        # RFC 9700 section 4.14.2: the server cannot tell who of the two is the thief.
        self._check("and the login is over for everybody", _is_refused(self._get(self._second)))

    def _introspect(self) -> None:
        known = self._run(self._client.introspect(self._second))
        self._check("the server says so: not active", not known.active)

    def _log_in_again(self) -> None:
        pending, callback = self._log_in()
        self._check("state and verifier are new", _differ(pending, self._pending))
        self._third = token = self._run(self._client.redeem(pending, callback))
        known = self._run(self._client.introspect(token))
        self._check("introspection: active", known.active)
        self._check("its scope is the one asked for", known.scope == "read")
        self._check("its end is the one that we know", known.expires_at == token.expires_at)

    def _revoke(self) -> None:
        self._run(self._client.revoke(self._third))
        self._check(
            "introspection: not active", not self._run(self._client.introspect(self._third)).active
        )
        self._check("the API refuses it: invalid_token", _is_refused(self._get(self._third)))

    # What they are made of.

    def _check(self, what: str, held: bool) -> None:
        self._step.checks.append(Check(what, held))

    def _run(self, flow: Flow[T]) -> T:
        return drive(flow, self._send_as(Party.CLIENT), self._clock.advance, self._clock)

    def _send_as(self, sender: Party) -> Send:
        def send(request: RequestToSend) -> ResponseReceived | RequestFailed:
            event = self._send(request)
            self._step.happened.append(Exchanged(sender, request, event))
            return event

        return send

    def _refusal(self, flow: Flow[OAuth2Token]) -> str | None:
        """Return the code with which the server refuses, or None where it does not."""
        try:
            self._run(flow)
        except ErrorResponse as error:
            return error.error
        return None

    def _get(self, token: OAuth2Token) -> ResponseReceived:
        """Ask the API for something, with the token."""
        request = RequestToSend(
            endpoint=Endpoint.RESOURCE,
            method="GET",
            url=f"{self._issuer}/api/me",
            headers=(("Authorization", authorization_header(token)),),
        )
        return _response(request, self._send_as(Party.CLIENT)(request))

    def _log_in(self) -> tuple[PendingAuthorization, str]:
        """Send the user to the server, and return the URL with which the browser comes back."""
        authorize = self._client.authorize(redirect_uri=_REDIRECT_URI, scope="read")
        pending = self._run(authorize)
        request = RequestToSend(endpoint=Endpoint.AUTHORIZATION, method="GET", url=pending.url)
        # The server has a user who clicks at once. A browser follows the redirect to the client.
        response = _response(request, self._send_as(Party.USER)(request))
        callback = response.header("Location")
        if callback is None:
            raise RemoteProtocolError(
                "the server has sent the browser nowhere",
                status=response.status,
                endpoint=Endpoint.AUTHORIZATION,
            )
        self._step.happened.append(CallbackBrought(callback))
        return pending, callback


def _response(request: RequestToSend, event: ResponseReceived | RequestFailed) -> ResponseReceived:
    if isinstance(event, RequestFailed):
        raise no_answer(request, event)
    return event


def _is_refused(response: ResponseReceived) -> bool:
    return is_token_rejected(response.status, response.header_values("WWW-Authenticate"))


def _differ(one: PendingAuthorization, other: PendingAuthorization) -> bool:
    return one.state != other.state and one.code_verifier != other.code_verifier
