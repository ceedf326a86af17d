"""Tokens that are bound to a key: who steals one cannot use it (DPoP, RFC 9449)."""

from __future__ import annotations

import json
import os
import re
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from hashlib import sha256
from typing import Any, cast

from .answers import Answer, read_json
from .challenges import read_challenges
from .client_auth import HoldsSecrets
from .errors import LocalProtocolError, listed
from .events import Endpoint, RequestToSend, ResponseReceived
from .exchange import Unsigned
from .jose import new_jwk
from .jwt_algorithms import PUBLIC_MEMBERS, base64url
from .jwt_signing import JWTSigner, SigningKey, UnsignedJWT, attached, read_private_key
from .resource import DPOP
from .server import Server
from .tokens import OAuth2Token
from .urls import target_uri

MOST_ORIGINS = 64
"""How many servers' nonces one key remembers."""

_PROVEN = frozenset(
    {Endpoint.TOKEN, Endpoint.PUSHED_AUTHORIZATION, Endpoint.RESOURCE, Endpoint.USERINFO}
)
_NONCE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,2048}")  # RFC 9449 section 8.1, and a bound


@dataclass(frozen=True, slots=True)
class DPoP(HoldsSecrets):
    """The key that a client's tokens are bound to: `Client(dpop=DPoP(private_key))`.

    Each request for a token, and each one with such a token, then carries a proof that its sender
    holds the key. The object remembers the nonces that servers hand out, one for each origin, so
    that the next proof holds the newest. Threads and tasks may share it, and so may clients.

    private_key: PEM text or bytes, a JWK, a key of joserfc, a function that signs, a `RemoteKey`:
        see `read_key`; `new_private_key` makes one. Keep it as long as the refresh token: that of a
        public client is bound to it too.
    alg: ES256 and so on; where it is left out, the key decides.
    public_jwk: its public half as a JWK (RFC 7517), where the key does not tell it itself: that of
        a function, and that of a `RemoteKey`.
    random_bytes: makes so many random bytes.
    Raises `ValueError` for an unsafe algorithm or key and for a public half that is missing or none,
    and what else `read_private_key` raises.
    """

    private_key: object = field(repr=False)
    alg: str | None = None
    _: KW_ONLY
    public_jwk: Mapping[str, Any] | None = field(default=None, repr=False)
    random_bytes: Callable[[int], bytes] = field(default=os.urandom, repr=False)
    thumbprint: str = field(init=False)
    algorithm: str = field(init=False)
    _signer: JWTSigner = field(init=False, repr=False, compare=False)
    _nonces: dict[str, str] = field(
        default_factory=dict[str, str], init=False, repr=False, compare=False
    )
    _hashed: tuple[str, str] = field(default=("", ""), init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        key = read_private_key(self.private_key, self.alg)
        given = self.public_jwk
        if given is None and isinstance(key, SigningKey):
            given = key.public_jwk
        public = _public_members(given)
        thumbprint = base64url(sha256(_canonical(public)).digest())
        signer = JWTSigner(key, "dpop+jwt", {"jwk": public})
        object.__setattr__(self, "public_jwk", public)
        object.__setattr__(self, "thumbprint", thumbprint)
        object.__setattr__(self, "algorithm", key.algorithm)
        object.__setattr__(self, "_signer", signer)

    def check_server(self, server: Server) -> None:
        """Raise `LocalProtocolError` where a server takes no proofs of this key's algorithm."""
        known = server.dpop_signing_alg_values_supported
        if known is not None and self.algorithm not in known:
            raise LocalProtocolError(
                f"the server takes no DPoP proofs that are signed with {self.algorithm}",
                endpoint=Endpoint.TOKEN,
                advice=f"use a key for one of: {listed(known)}",
            )

    def check_token(self, token: OAuth2Token, answer: Answer) -> None:
        """Raise `RemoteProtocolError` for a token that was issued and is bound to no key.

        answer: the one that it came in; it stays reachable on the error.
        """
        kind = (token.token_type or "").lower()
        if kind not in (DPOP, "n_a"):  # RFC 8693 section 2.2.1: N_A is no access token at all
            raise answer.broken(
                "the token is not bound to the key, although a DPoP proof was sent",
                error="token_not_bound",
                advice="the server may know no DPoP: build the client without dpop= to take it",
            )

    def bind(
        self, method: str, url: str, access_token: str, now: float
    ) -> RequestToSend | Unsigned:
        """Return the headers of a request to a resource server (RFC 9449 section 7.1).

        method, url: as the request goes out, after all that may change them.
        now: seconds since the epoch.
        Returns what a `Signer` returns: with a key elsewhere, the signature is yet to be made.
        Raises `LocalProtocolError` for a URL that is none.
        """
        authorization = ("Authorization", f"DPoP {access_token}")
        return attached(
            self.prove(method, url, access_token, now),
            lambda proof: RequestToSend(
                endpoint=Endpoint.RESOURCE,
                method=method,
                url=url,
                headers=(authorization, ("DPoP", proof)),
            ),
        )

    def prove(self, method: str, url: str, access_token: str, now: float) -> str | UnsignedJWT:
        """Return the proof alone for such a request: the value of its header `DPoP`.

        The arguments and errors are those of `bind`.
        """
        target = target_uri(url, Endpoint.RESOURCE)
        return self._signer.jwt(self._claims(method, target, access_token, now))

    def sign(self, request: RequestToSend, now: float) -> RequestToSend | Unsigned:
        """Return the request with a new proof, where its endpoint wants one.

        The proof names the access token in the header `Authorization`, if that is a bound one.
        """
        if request.endpoint not in _PROVEN:
            return request
        scheme, _, token = (request.header("Authorization") or "").partition(" ")
        claims = self._claims(
            request.method,
            target_uri(request.url, request.endpoint),
            token if scheme.lower() == DPOP else None,
            now,
        )
        return attached(self._signer.jwt(claims), lambda proof: request.with_header("DPoP", proof))

    def learn(self, request: RequestToSend, response: ResponseReceived) -> bool:
        """Keep the nonce of a response (RFC 9449 section 8).

        Returns true where the request was refused for the lack of just that nonce: then it is worth
        one more try. A nonce that the refused proof had already is worth none.
        """
        values = response.header_values("DPoP-Nonce")
        if len(values) != 1 or not _NONCE.fullmatch(values[0]):  # two are an error: none counts
            return False
        nonce = values[0]
        origin = _origin(target_uri(request.url, request.endpoint))
        nonces = self._nonces
        # The newest come last; another thread may be doing the same.
        nonces.pop(origin, None)
        nonces[origin] = nonce
        while len(nonces) > MOST_ORIGINS:
            nonces.pop(next(iter(tuple(nonces))), None)
        proof = request.header("DPoP")
        return proof is not None and asks_for_nonce(response) and _nonce_in(proof) != nonce

    def _claims(self, method: str, target: str, access_token: str | None, now: float) -> str:
        # As JSON. To encode a dict takes four times as long, and of these texts only the method and
        # the URL may hold what has to be escaped.
        claims = (
            f'{{"jti":"{base64url(self.random_bytes(16))}","htm":{_quoted(method)},'
            f'"htu":{_quoted(target)},"iat":{int(now)}'
        )
        if access_token is not None:
            claims += f',"ath":"{self._hash_of(access_token)}"'
        nonce = self._nonces.get(_origin(target))
        if nonce is not None:
            claims += f',"nonce":"{nonce}"'
        return claims + "}"

    def _hash_of(self, access_token: str) -> str:
        # That of the token that went out last is kept: mostly it goes out again.
        known = self._hashed
        if known[0] != access_token:
            known = (access_token, base64url(sha256(access_token.encode()).digest()))
            object.__setattr__(self, "_hashed", known)
        return known[1]


def new_private_key(
    algorithm: str = "ES256", *, random_bytes: Callable[[int], bytes] = os.urandom
) -> dict[str, str]:
    """Return a new private key as a JWK (RFC 7517): keep it as the secret that it is.

    algorithm: ES256, or Ed25519.
    random_bytes: makes so many random bytes.
    Raises `ValueError` for another algorithm, `LocalProtocolError` where joserfc is missing.
    """
    if algorithm not in ("ES256", "Ed25519"):
        raise ValueError("a new key is for ES256 or Ed25519")
    return new_jwk("P-256" if algorithm == "ES256" else algorithm, random_bytes)


def asks_for_nonce(response: ResponseReceived) -> bool:
    """Say whether a server refuses a request for want of its nonce (RFC 9449 sections 8 and 9)."""
    if response.status not in (400, 401):
        return False
    challenges = read_challenges(response.header_values("WWW-Authenticate"))
    if any(each.scheme == DPOP and each.error == _USE_NONCE for each in challenges):
        return response.status == 401
    try:
        document = read_json(response.body)
    except ValueError:
        return False
    return isinstance(document, dict) and cast("Any", document).get("error") == _USE_NONCE


_USE_NONCE = "use_dpop_nonce"


_quoted = json.JSONEncoder().encode


def _origin(target: str) -> str:
    return target[: target.index("/", len("https://"))]


def _nonce_in(proof: str) -> object:
    # Of a proof of our own, so it can be read.
    claims = proof.split(".")[1]
    return json.loads(urlsafe_b64decode(claims + "=" * (-len(claims) % 4))).get("nonce")


def _public_members(jwk: Mapping[str, Any] | None) -> dict[str, str]:
    if jwk is None:
        raise ValueError("this key does not tell its public half: give public_jwk=")
    names = PUBLIC_MEMBERS.get(str(jwk.get("kty")))
    if names is None:
        raise ValueError("public_jwk is no public key of the kinds EC, OKP and RSA")
    members = {name: jwk.get(name) for name in names}
    if not all(isinstance(value, str) and value for value in members.values()):
        raise ValueError(f"public_jwk lacks one of: {', '.join(names)}")
    return {name: str(value) for name, value in members.items()}


def _canonical(public: Mapping[str, str]) -> bytes:
    # The members are in the order of their names already (RFC 7638 section 3.3).
    return json.dumps(public, separators=(",", ":")).encode()
