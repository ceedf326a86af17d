"""The authorization endpoint, and the callback it sends the browser to."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html import escape, unescape
from types import MappingProxyType
from typing import TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit

from oauth2_sansio.callback import ResponseMode, default_mode
from oauth2_sansio.events import Endpoint, Pairs, ResponseReceived

from .authorization_details import asked_details, check_details
from .configuration import RegisteredClient, User
from .ledger import AuthorizationCode, TokenFamily, TokenKind
from .logins import log_in
from .messages import IncomingRequest, Parameters, Refusal, page, require_method
from .pushed_authorization import parameters_of_browser, registered_redirect_uri
from .signed_answers import find_signer, signed_answer
from .state import ServerState, granted_scope

_JARM_LIFETIME = 600  # seconds; JARM section 2.1 recommends no more
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_FIELD = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')


class AuthorizationRefused(Exception):
    """The server showed the user an error page, and sent the browser nowhere.

    response: that page.
    """

    def __init__(self, response: ResponseReceived) -> None:
        text = re.sub(r"<[^>]*>", " ", response.body.decode(errors="replace"))
        super().__init__(f"status {response.status}: {' '.join(text.split())[:200]}")
        self.response = response


def answer_authorization(state: ServerState, request: IncomingRequest) -> ResponseReceived:
    """Let the user decide, and send the browser back (RFC 6749 sections 4.1 and 4.2)."""
    require_method(request, "GET", "POST")
    try:
        parameters = Parameters(request.query + request.form)
        client = state.clients[parameters.require("client_id")]
        parameters = parameters_of_browser(state, client, parameters)
        redirect_uri = registered_redirect_uri(client, parameters.get("redirect_uri"))
    except (Refusal, LookupError) as problem:
        # Nobody may be sent to an address that is not known to be the client's.
        text = problem.description if isinstance(problem, Refusal) else "The client is unknown."
        return page(f"<h1>Error</h1><p>{escape(text)}</p>", status=400)
    # What is not known here is refused as a request for a code is.
    response_type = "token" if parameters.get("response_type") == "token" else "code"
    mode = default_mode(response_type)
    try:
        asked = _response_mode(parameters.get("response_mode"), response_type)
        if asked.is_signed:
            find_signer(state, client, client.authorization_signed_response_alg)
        mode = asked
        pairs = _decide(state, client, parameters, request.user)
    except Refusal as refusal:
        pairs = (("error", refusal.error), ("error_description", refusal.description))
    given_state = parameters.get("state")
    if given_state is not None:
        pairs += (("state", given_state),)
    if state.settings.send_issuer:
        pairs += (("iss", state.issuer),)
    pairs = state.schedule.change_callback(request, pairs)
    if mode.is_signed:
        pairs = _signed(state, request, client, pairs)
    return _SENDERS[mode.carrier(response_type)](redirect_uri, pairs, request.user)


def read_callback(response: ResponseReceived) -> str:
    """Return what the browser brings to the client: a URL, or the body of the form it posts.

    Raises `AuthorizationRefused` if the answer sends the browser nowhere.
    """
    location = response.header("Location")
    if location is not None:
        return location
    fields = _FIELD.findall(response.body.decode(errors="replace"))
    if not fields:
        raise AuthorizationRefused(response)
    return urlencode([(unescape(name), unescape(value)) for name, value in fields])


def _response_mode(asked: str | None, response_type: str) -> ResponseMode:
    default = default_mode(response_type)
    if asked is None:
        return default
    try:
        mode = ResponseMode(asked)
    except ValueError as error:
        raise Refusal("invalid_request", "The response_mode is not supported.") from error
    if default is ResponseMode.FRAGMENT and mode.carrier(response_type) is ResponseMode.QUERY:
        raise Refusal("invalid_request", "A token must not be sent in a query.")
    return mode


def _signed(
    state: ServerState, request: IncomingRequest, client: RegisteredClient, pairs: Pairs
) -> Pairs:
    claims = {**dict(pairs), "exp": int(state.now()) + _JARM_LIFETIME}
    jwt = signed_answer(
        state,
        request,
        Endpoint.AUTHORIZATION,
        client,
        client.authorization_signed_response_alg,
        claims,
    )
    return pairs if jwt is None else (("response", jwt),)


def _decide(
    state: ServerState, client: RegisteredClient, parameters: Parameters, user: User
) -> Pairs:
    response_type = parameters.require("response_type")
    if response_type not in RESPONSE_TYPES:
        raise Refusal("unsupported_response_type", "The response_type is not supported.")
    grant_type, respond = RESPONSE_TYPES[response_type]
    if grant_type not in client.grant_types:
        raise Refusal("unauthorized_client", "The client may not use this response_type.")
    scope = granted_scope(parameters.get("scope"), client.scope)
    challenge = _challenge(state, parameters) if grant_type == "authorization_code" else None
    check_details(state, parameters)
    login = log_in(state, parameters, user)
    if not user.approves:
        raise Refusal(user.error, "The user did not approve.")
    if user.scope is not None:
        granted = user.scope.split(" ")
        scope = " ".join(word for word in scope.split(" ") if word in granted)
    family = TokenFamily(
        client_id=client.client_id,
        subject=user.subject,
        scope=scope,
        resources=parameters.get_all("resource"),
        audiences=parameters.get_all("audience"),
        authorization_details=asked_details(parameters),
        acr=login.acr,
        auth_time=login.at,
    )
    return respond(state, family, parameters, challenge)


def _challenge(state: ServerState, parameters: Parameters) -> str | None:
    challenge = parameters.get("code_challenge")
    if challenge is None:
        if state.settings.require_pkce:
            raise Refusal("invalid_request", "The parameter code_challenge is missing.")
        return None
    # A method that is left out means `plain` (RFC 7636 section 4.3).
    if parameters.get("code_challenge_method") != "S256":
        raise Refusal("invalid_request", "The code_challenge_method must be S256.")
    if not _CHALLENGE.fullmatch(challenge):
        raise Refusal("invalid_request", "The code_challenge is no SHA-256 value.")
    return challenge


def _respond_with_code(
    state: ServerState, family: TokenFamily, parameters: Parameters, challenge: str | None
) -> Pairs:
    code = AuthorizationCode(
        value=state.random_text("code"),
        family=family,
        redirect_uri=parameters.get("redirect_uri"),
        challenge=challenge,
        expires_at=state.now() + state.settings.code_lifetime,
    )
    state.ledger.add_code(code)
    key = parameters.get("dpop_jkt")
    if key is not None:
        state.ledger.bind(code.value, key)
    return (("code", code.value),)


def _respond_with_token(
    state: ServerState, family: TokenFamily, _parameters: Parameters, _challenge: str | None
) -> Pairs:
    token = state.issue(TokenKind.ACCESS, family)
    return (
        ("access_token", token.value),
        ("token_type", "Bearer"),
        ("expires_in", str(state.settings.access_token_lifetime)),
        ("scope", token.scope),
    )


ResponseTypeFunction: TypeAlias = Callable[
    [ServerState, TokenFamily, Parameters, str | None], Pairs
]

RESPONSE_TYPES: Mapping[str, tuple[str, ResponseTypeFunction]] = MappingProxyType(
    {
        "code": ("authorization_code", _respond_with_code),
        "token": ("implicit", _respond_with_token),
    }
)
"""For each `response_type`: the grant type that a client needs for it, and what is answered."""


def _redirect(location: str, user: User) -> ResponseReceived:
    if user.edit is not None:
        location = user.edit(location)
    return page("", status=302, headers=(("Location", location),))


def _send_query(redirect_uri: str, pairs: Pairs, user: User) -> ResponseReceived:
    joint = "&" if urlsplit(redirect_uri).query else "?"
    return _redirect(f"{redirect_uri}{joint}{urlencode(pairs)}", user)


def _send_fragment(redirect_uri: str, pairs: Pairs, user: User) -> ResponseReceived:
    return _redirect(f"{redirect_uri}#{urlencode(pairs)}", user)


def _send_form(redirect_uri: str, pairs: Pairs, user: User) -> ResponseReceived:
    body = urlencode(pairs)
    if user.edit is not None:
        body = user.edit(body)
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in parse_qsl(body, keep_blank_values=True)
    )
    return page(
        f'<form method="post" action="{escape(redirect_uri)}">{fields}<button>Go on</button></form>'
    )


_SENDERS: Mapping[ResponseMode, Callable[[str, Pairs, User], ResponseReceived]] = MappingProxyType(
    {
        ResponseMode.QUERY: _send_query,
        ResponseMode.FRAGMENT: _send_fragment,
        ResponseMode.FORM_POST: _send_form,
    }
)
