"""The keys that a server signs its answers with (RFC 7517): read and checked once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from .answers import Answer
from .errors import RemoteProtocolError
from .events import Endpoint
from .exchange import Exchange, Pipeline
from .flow import Flow
from .jose import verifier_of
from .jwt_algorithms import ALGORITHMS, PUBLIC_MEMBERS, SMALLEST_RSA_KEY, read_base64url
from .server import Server

MOST_KEYS = 100
"""Keys in one document; more are refused."""

MOST_TRIES = 8
"""Keys that one signature is tried with, where it does not say which one it is."""

_LARGEST_RSA_KEY = 8_192  # bits; each verification takes the longer the larger it is
_LONGEST_EXPONENT = 8  # bytes; the same
_LONGEST_MEMBER = 2_048  # characters
_CURVES: Mapping[str, tuple[str, ...]] = {"EC": ("P-256", "P-384", "P-521"), "OKP": ("Ed25519",)}
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key that was read and checked.

    kind: `RSA`, or the name of its curve.
    key_id: its `kid`.
    algorithm: the only one that it is for; None where it does not say.
    verify: says whether a signature is right, given the algorithm, the message and the signature.
    """

    kind: str
    key_id: str | None
    algorithm: str | None
    verify: Callable[[str, bytes, bytes], bool] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ServerKeys:
    """The public keys of a server, which its signed answers are verified with.

    Fetch them with a flow of its own, `ServerKeys.fetch(server)`, and keep them as long as they
    serve: nothing fetches them by itself. They may be pickled.

    document: a JWK Set (RFC 7517 section 5) as a dict.
    Keys of unknown kinds, and those that are for something else, are left out (the same section).
    Raises `RemoteProtocolError` for a document that is none, has more than 100 keys, has none to
    use, or publishes what is secret; `LocalProtocolError` where joserfc is missing.
    """

    document: Mapping[str, Any] = field(repr=False, hash=False)
    keys: tuple[PublicKey, ...] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", _read(self.document))

    def __reduce__(self) -> tuple[Any, ...]:
        return ServerKeys, (dict(self.document),)

    @staticmethod
    def fetch(server: Server, *, pipeline: Pipeline | None = None) -> Flow[ServerKeys]:
        """Return a flow that fetches the keys of a server from its `jwks_uri`.

        pipeline: what the request passes; without its signers, for nobody has to know who asks.
        Raises `LocalProtocolError` where the server has no `jwks_uri`.
        """
        passed = replace(
            pipeline or Pipeline(), signers=(), allow_insecure_http=server.allow_insecure_http
        )
        accept = (("Accept", "application/jwk-set+json, application/json"),)
        draft = server.draft(Endpoint.JWKS, (), method="GET", headers=accept)
        return Exchange(passed, draft, _keys_in).flow()

    def find(self, algorithm: str, key_id: str | None) -> tuple[PublicKey, ...]:
        """Return the keys that a signature may have been made with, at most `MOST_TRIES`.

        algorithm: how it was made.
        key_id: the key that it names: then only that one, or else those that have no name.
        """
        kind = ALGORITHMS[algorithm].kind
        fitting = [
            key for key in self.keys if key.kind == kind and key.algorithm in (None, algorithm)
        ]
        if key_id is not None:
            named = [key for key in fitting if key.key_id == key_id]
            fitting = named or [key for key in fitting if key.key_id is None]
        return tuple(fitting[:MOST_TRIES])


def _keys_in(answer: Answer) -> ServerKeys:
    document = answer.read()
    try:
        return ServerKeys(document)
    except RemoteProtocolError as error:
        raise answer.broken(
            str(error.description), error=error.error, advice=error.advice
        ) from None


def _read(document: object) -> tuple[PublicKey, ...]:
    found = (
        cast("Mapping[str, Any]", document).get("keys") if isinstance(document, Mapping) else None
    )
    if not isinstance(found, list):
        raise _unfit("it has no list of keys")
    members = cast("list[object]", found)
    if len(members) > MOST_KEYS:
        raise _unfit(f"it has more than {MOST_KEYS} keys")
    keys = [cast("Mapping[str, Any]", each) for each in members if isinstance(each, Mapping)]
    if len(keys) < len(members):
        raise _unfit("one of its keys is not a JSON object")
    if any(not _PRIVATE.isdisjoint(key) for key in keys):
        raise _unfit(
            "it publishes a private key or a secret",
            error="private_key_published",
            advice="trust nothing that this server signs, and tell its operator",
        )
    usable = tuple(key for key in map(_read_key, keys) if key is not None)
    if not usable:
        raise _unfit("none of its keys can verify a signature")
    return usable


def _read_key(members: Mapping[str, Any]) -> PublicKey | None:
    kind, algorithm, key_id = _kind_of(members), members.get("alg"), members.get("kid")
    if kind is None or not (_is_to_verify(members) and isinstance(key_id, str | None)):
        return None
    if algorithm is not None and not (isinstance(algorithm, str) and algorithm in ALGORITHMS):
        return None
    try:
        public = {name: _text(members, name) for name in PUBLIC_MEMBERS[members["kty"]]}
        if kind == "RSA":
            _check_size(public)
        return PublicKey(kind, key_id, algorithm, verifier_of(public))
    except ValueError:  # RFC 7517 section 5: what cannot be used is left out
        return None


def _kind_of(members: Mapping[str, Any]) -> str | None:
    kind = members.get("kty")
    if kind == "RSA":
        return "RSA"
    curve = members.get("crv")
    is_known = isinstance(kind, str) and curve in _CURVES.get(kind, ())
    return curve if is_known else None


def _is_to_verify(members: Mapping[str, Any]) -> bool:
    # RFC 7517 sections 4.2 and 4.3.
    operations = members.get("key_ops")
    return members.get("use") in (None, "sig") and (
        operations is None or (isinstance(operations, list) and "verify" in operations)
    )


def _text(members: Mapping[str, Any], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str) or len(value) > _LONGEST_MEMBER:
        raise ValueError(name)
    return value


def _check_size(public: Mapping[str, str]) -> None:
    bits = int.from_bytes(read_base64url(public["n"])).bit_length()
    exponent = read_base64url(public["e"])
    if not SMALLEST_RSA_KEY <= bits <= _LARGEST_RSA_KEY or len(exponent) > _LONGEST_EXPONENT:
        raise ValueError("n")


def _unfit(
    reason: str, *, error: str | None = None, advice: str | None = None
) -> RemoteProtocolError:
    return RemoteProtocolError(
        f"the server's keys cannot be used: {reason}",
        error=error,
        endpoint=Endpoint.JWKS,
        advice=advice or "check jwks_uri; if it is right, the fault is the server's",
    )
