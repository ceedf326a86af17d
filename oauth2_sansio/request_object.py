"""Authorization requests that are signed (RFC 9101)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any

from .authorization import authorization_url
from .client_auth import ClientIdentity, HoldsSecrets
from .errors import LocalProtocolError
from .events import (
    Action,
    Endpoint,
    Event,
    Finished,
    Pairs,
    RequestToSend,
    ResponseReceived,
    SignatureMade,
    T,
)
from .exchange import Signer, Unsigned
from .flow import Flow
from .jwt_algorithms import base64url
from .jwt_signing import JWTSigner, own_copy, read_private_key

_REFERENCES = ("request", "request_uri")
_JSON = frozenset({"claims", "authorization_details"})
# OpenID Connect Core section 6.1 wants these outside too.
_OUTSIDE = ("response_type", "scope")


@dataclass(frozen=True, slots=True)
class RequestObject(HoldsSecrets):
    """How a client signs its authorization requests: `Client(request_object=RequestObject(key))`.

    Those of the backchannel too (CIBA Core section 7.1.1), where the server takes them. Nobody can
    change such a request on its way through the user's browser, and the server knows whose it is.

    private_key: PEM text or bytes, a JWK, a key of joserfc, a function that signs, a `RemoteKey`:
        see `read_key`.
    alg: RS256 and so on; where it is left out, the key decides.
    audience: whom it is for; left out, the server's issuer.
    lifetime: of each request, in seconds.
    key_id: the header `kid`.
    headers: further members of the header.
    Raises `ValueError` for an unsafe algorithm or key, and what else `read_private_key` raises.
    """

    private_key: object = field(repr=False)
    alg: str | None = None
    _: KW_ONLY
    audience: str | None = None
    lifetime: int = 300
    key_id: str | None = None
    headers: Mapping[str, Any] | None = field(default=None, repr=False)
    _signer: JWTSigner = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.lifetime <= 0:
            raise ValueError("lifetime is a number of seconds above 0")
        key = read_private_key(self.private_key, self.alg, self.key_id)
        signer = JWTSigner(key, "oauth-authz-req+jwt", own_copy(self.headers))
        object.__setattr__(self, "_signer", signer)

    @property
    def algorithm(self) -> str:
        """What it signs with, by its JOSE name (RFC 7518 section 3.1)."""
        return self._signer.key.algorithm

    def signer(self, identity: ClientIdentity) -> Signer:
        """Return what puts all parameters of a request into one that is signed."""
        return _Signer(self, self._signer, identity)

    def sign_into_url(
        self,
        identity: ClientIdentity,
        endpoint: str,
        form: Pairs,
        read: Callable[[str, float], T],
    ) -> Flow[T]:
        """Return a flow that makes a URL with a signed request in it.

        endpoint: the URL of the authorization endpoint.
        form: the parameters of the request.
        read: makes the result of the new URL and the time.
        """
        draft = RequestToSend(
            endpoint=Endpoint.AUTHORIZATION, method="GET", url=endpoint, form=form
        )
        outside = _outside(form)
        waiting: list[Unsigned] = []

        def step(event: Event, now: float) -> Action[T]:
            if isinstance(event, SignatureMade):
                signed = waiting.pop().attach(event.signature)
            else:
                found = self.signer(identity).sign(draft, now)
                if isinstance(found, Unsigned):
                    waiting.append(found)
                    return found.needed
                signed = found
            return Finished(read(authorization_url(endpoint, (*signed.form, *outside)), now))

        return Flow(step)


@dataclass(frozen=True, slots=True)
class _Signer(HoldsSecrets):
    way: RequestObject
    signer: JWTSigner
    identity: ClientIdentity

    def sign(self, request: RequestToSend, now: float) -> RequestToSend | Unsigned:
        client_id = ("client_id", self.identity.client_id)
        return self.signer.attach(
            self._claims(request, now),
            lambda jwt: replace(request, form=(client_id, ("request", jwt))),
        )

    def learn(self, request: RequestToSend, response: ResponseReceived) -> bool:
        return False

    def _claims(self, request: RequestToSend, now: float) -> dict[str, Any]:
        identity, way = self.identity, self.way
        audience = way.audience or identity.server.issuer
        if audience is None:
            raise _unfit(
                "a signed request names the issuer that it is for, and this server has none",
                "give Server(issuer=...), read the server's metadata, or give audience=",
                request.endpoint,
            )
        issued_at = int(now)
        return {
            **_members(request),
            "iss": identity.client_id,
            "aud": audience,
            "client_id": identity.client_id,
            "iat": issued_at,
            "nbf": issued_at,
            "exp": issued_at + way.lifetime,
            "jti": base64url(identity.random_bytes(16)),
        }


def _outside(form: Pairs) -> Pairs:
    given = dict(form)
    if "openid" not in given.get("scope", "").split():
        return ()
    return tuple((name, given[name]) for name in _OUTSIDE if name in given)


def _members(request: RequestToSend) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, text in request.form:
        if name in _REFERENCES:
            raise _unfit(
                "a signed request holds no other one", f"leave out {name}", request.endpoint
            )
        value = _typed(name, text, request.endpoint)
        if name not in members:
            members[name] = value
        elif isinstance(members[name], list):
            members[name].append(value)
        else:
            members[name] = [members[name], value]
    return members


def _typed(name: str, text: str, endpoint: Endpoint) -> object:
    # In a JWT, what is JSON is no text (RFC 9101 section 4).
    if name in _JSON:
        try:
            return json.loads(text)
        except ValueError:
            pass
        else_what = "JSON"
    elif name == "max_age":
        if text.isascii() and text.isdigit():
            return int(text)
        else_what = "a whole number"
    else:
        return text
    raise _unfit(
        f"the parameter {name} is not {else_what}", "mend it where it comes from", endpoint
    )


def _unfit(description: str, advice: str, endpoint: Endpoint) -> LocalProtocolError:
    return LocalProtocolError(description, endpoint=endpoint, advice=advice)
