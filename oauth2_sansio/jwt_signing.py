"""Signing JWTs: with a key of this process, or with one that is elsewhere.

A key is read and checked once, when it is handed over; no request reads one again.
"""

from __future__ import annotations

import hmac
import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from .client_auth import HoldsSecrets
from .errors import LocalProtocolError, printable
from .events import RequestToSend, SignatureNeeded
from .exchange import Unsigned
from .jose import kind_of, load_jwk, load_pem, public_members, signer_of
from .jwt_algorithms import (
    ALGORITHMS,
    SMALLEST_RSA_KEY,
    base64url,
    find_algorithm,
    read_base64url,
)


@dataclass(frozen=True, slots=True)
class RemoteKey:
    """A key that is elsewhere (KMS, HSM, smart card): the driver's `sign` signs with it.

    algorithm: the JOSE name (RFC 7518 section 3.1), such as `ES256`.
    key_id: which key; goes into the header `kid` too.
    Raises `ValueError` for an algorithm that is not known.
    """

    algorithm: str
    key_id: str | None = None

    def __post_init__(self) -> None:
        find_algorithm(self.algorithm)


@dataclass(frozen=True, slots=True)
class SigningKey(HoldsSecrets):
    """A key of this process that was read and checked.

    sign: signs bytes.
    public_jwk: its public half, where it is known.
    """

    algorithm: str
    key_id: str | None
    sign: Callable[[bytes], bytes] = field(repr=False)
    public_jwk: Mapping[str, Any] | None = field(default=None, repr=False)


def read_key(
    key: object, algorithm: str | None = None, key_id: str | None = None
) -> SigningKey | RemoteKey:
    """Return a key that can sign, read and checked.

    key: the PEM text of a private key (RSA, EC or Ed25519), a JWK as a dict or as JSON, a key of
        joserfc, a shared secret, a function that gets and returns bytes, a `RemoteKey`, or what
        this function has returned before.
    algorithm: where it is left out, the key decides: RS256, ES256, ES384, ES512, EdDSA; and HS256
        for a JWK that is a secret. A secret that is a text, and a function, do not say.
    key_id: for the header `kid`, where the key has none of its own or is to have another.
    Raises `ValueError` for a key that cannot be read or is too short, and for an algorithm that is
    not safe, not known, or not for this key; `TypeError` for what is no key; `LocalProtocolError`
    where joserfc is missing. A short secret is taken with a warning.
    """
    if algorithm is not None:
        find_algorithm(algorithm)
    match key:
        case RemoteKey() | SigningKey():
            return _renamed(key, algorithm, key_id)
        case str() | bytes():
            return _from_text(key.encode() if isinstance(key, str) else key, algorithm, key_id)
        case Mapping():
            members = cast("Mapping[str, Any]", key)
            return _from_jwk(members, algorithm, key_id)
        case _ if hasattr(key, "key_type") and hasattr(key, "is_private"):
            return _from_joserfc(key, algorithm, key_id)
        case _ if callable(key):
            if algorithm is None:
                raise ValueError("a function that signs does not say how: give alg=")
            return SigningKey(algorithm, key_id, _checked(algorithm, key))
        case _:
            raise TypeError(f"a key is no {type(key).__name__}")


def read_secret(
    secret: object, algorithm: str = "HS256", key_id: str | None = None
) -> SigningKey | RemoteKey:
    """Return a secret that server and client share, as a key.

    secret: a text, bytes, a JWK as a dict, a key of joserfc, or a `RemoteKey`.
    Raises what `read_key` raises, also for the key of an algorithm that shares no secret.
    """
    if find_algorithm(algorithm).kind != "oct":
        raise ValueError(f"{algorithm} takes a private key, and no secret that is shared")
    return read_key(secret, algorithm, key_id)


def read_private_key(
    key: object, algorithm: str | None = None, key_id: str | None = None
) -> SigningKey | RemoteKey:
    """Return a private key: as `read_key`, but for a secret that server and client share."""
    found = read_key(key, algorithm, key_id)
    if find_algorithm(found.algorithm).kind == "oct":
        raise ValueError(f"{found.algorithm} takes a secret that is shared, and no private key")
    return found


@dataclass(frozen=True, slots=True)
class JWTSigner(HoldsSecrets):
    """A key, and the header of all JWTs that are signed with it.

    typ: what kind of JWT it is (RFC 7519 section 5.1).
    headers: further members, or others instead of ours.
    Raises `ValueError` for a header that contradicts the key, or that changes how to sign.
    """

    key: SigningKey | RemoteKey
    typ: str
    headers: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    _segment: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        header = {"alg": self.key.algorithm, "typ": self.typ}
        if self.key.key_id is not None:
            header["kid"] = self.key.key_id
        header |= self.headers
        if header["alg"] != self.key.algorithm:
            raise ValueError("the header alg contradicts the key or the argument alg")
        if "b64" in header:
            raise ValueError("the header b64 is not for JWTs (RFC 7797 section 7)")
        object.__setattr__(self, "_segment", base64url(_compact(header).encode("ascii")))

    def jwt(self, claims: str) -> str | UnsignedJWT:
        """Return claims as a JWT; with a remote key, its signature is yet to be made.

        claims: as JSON, in ASCII.
        Raises `LocalProtocolError` for what is no signature of the key's algorithm.
        """
        key = self.key
        text = f"{self._segment}.{base64url(claims.encode('ascii'))}"
        if isinstance(key, RemoteKey):
            return UnsignedJWT(key, text)
        return _with_signature(text, key.algorithm, key.sign(text.encode("ascii")))

    def attach(
        self, claims: Mapping[str, Any], attach: Callable[[str], RequestToSend]
    ) -> RequestToSend | Unsigned:
        """Sign claims, and return what `attach` makes of the JWT: see `jwt` and `attached`."""
        return attached(self.jwt(_compact(claims)), attach)


@dataclass(frozen=True, slots=True)
class UnsignedJWT(HoldsSecrets):
    """A JWT that a key elsewhere is yet to sign.

    text: its header and its claims.
    """

    key: RemoteKey
    text: str = field(repr=False)

    @property
    def needed(self) -> SignatureNeeded:
        """What is to be signed."""
        key = self.key
        return SignatureNeeded(
            algorithm=key.algorithm, signing_input=self.text.encode("ascii"), key_id=key.key_id
        )

    def signed(self, signature: bytes) -> str:
        """Return the JWT; raise `LocalProtocolError` for what is no signature of the algorithm."""
        return _with_signature(self.text, self.key.algorithm, signature)


def attached(
    jwt: str | UnsignedJWT, attach: Callable[[str], RequestToSend]
) -> RequestToSend | Unsigned:
    """Return what a `Signer` returns: what `attach` makes of a JWT, now or once it is signed.

    attach: puts the JWT into a request.
    """
    if isinstance(jwt, str):
        return attach(jwt)
    return Unsigned(jwt.needed, lambda signature: attach(jwt.signed(signature)))


def own_copy(members: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return claims or headers as they are now, whatever the caller does to them later.

    Raises `ValueError` or `TypeError` for what JSON cannot write.
    """
    copied: dict[str, Any] = json.loads(_compact(members or {}))
    return copied


def _compact(members: Mapping[str, Any]) -> str:
    return _encode(dict(members))


# Made once: `json.dumps` with these arguments would make one for each JWT.
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def _renamed(
    key: SigningKey | RemoteKey, algorithm: str | None, key_id: str | None
) -> SigningKey | RemoteKey:
    if algorithm not in (None, key.algorithm):
        raise ValueError(f"this key signs with {key.algorithm}, not with {algorithm}")
    return key if key_id is None else replace(key, key_id=key_id)


def _from_text(text: bytes, algorithm: str | None, key_id: str | None) -> SigningKey | RemoteKey:
    is_secret = algorithm is not None and find_algorithm(algorithm).kind == "oct"
    if b"-----BEGIN" in text:
        if is_secret:
            raise ValueError(f"a PEM text is no secret for {algorithm}")
        return _from_joserfc(load_pem(text), algorithm, key_id)
    if is_secret and algorithm is not None:
        return _from_secret(text, algorithm, key_id)
    if text.lstrip()[:1] == b"{":
        return _from_jwk(_read_json(text), algorithm, key_id)
    raise ValueError("this text is no private key: PEM begins with -----BEGIN, a JWK with {")


def _read_json(text: bytes) -> dict[str, Any]:
    try:
        members: dict[str, Any] = json.loads(text)
    except ValueError:
        pass
    else:
        return members
    raise ValueError("this JWK is no JSON")  # outside: the exception holds the text


def _from_jwk(
    members: Mapping[str, Any], algorithm: str | None, key_id: str | None
) -> SigningKey | RemoteKey:
    algorithm, key_id = _by_members(members, algorithm, key_id)
    kind = members.get("kty")
    if kind == "oct":
        secret = _decoded(members.get("k"), "k")
        return _from_secret(secret, algorithm or "HS256", key_id)
    # joserfc only warns of a short key, and `-W error` would turn that into another error.
    if kind == "RSA":
        _check_size(int.from_bytes(_decoded(members.get("n"), "n"), "big").bit_length())
    return _from_joserfc(load_jwk(members), algorithm, key_id)


def _from_joserfc(key: Any, algorithm: str | None, key_id: str | None) -> SigningKey:
    if not key.is_private:
        raise ValueError("this is a public key: it takes the private one to sign")
    algorithm, key_id = _by_members(key, algorithm, key_id)
    kind = kind_of(key)
    if kind == "oct":
        return _from_secret(key.raw_value, algorithm or "HS256", key_id)
    if kind == "RSA":
        _check_size(key.raw_value.key_size)
    algorithm = algorithm or next(
        (name for name, needed in ALGORITHMS.items() if needed.kind == kind), "none"
    )
    if find_algorithm(algorithm).kind != kind:
        raise ValueError(f"{algorithm} is not for this key, which is of the kind {kind}")
    return SigningKey(algorithm, key_id, signer_of(key, algorithm), public_members(key))


def _by_members(
    members: Any, algorithm: str | None, key_id: str | None
) -> tuple[str | None, str | None]:
    # What a JWK says of its own use (RFC 7517 section 4).
    own, operations = members.get("alg"), members.get("key_ops")
    if own is not None and algorithm is not None and own != algorithm:
        raise ValueError(f"this JWK is for {printable(str(own), 40)}, not for {algorithm}")
    if members.get("use") not in (None, "sig") or (operations and "sign" not in operations):
        raise ValueError("this JWK is not for signing, by its own use or key_ops")
    if own is not None:
        find_algorithm(own)
    return algorithm or own, members.get("kid") if key_id is None else key_id


def _from_secret(secret: bytes, algorithm: str, key_id: str | None) -> SigningKey:
    needed = find_algorithm(algorithm)
    if needed.kind != "oct" or needed.length is None:
        raise ValueError(f"{algorithm} takes a private key, and no secret that is shared")
    if not secret:
        raise ValueError("this secret is empty")
    if len(secret) < needed.length:
        warnings.warn(
            f"a secret for {algorithm} should have {needed.length} bytes or more "
            "(RFC 7518 section 3.2): a shorter one can be guessed from one JWT",
            UserWarning,
            stacklevel=5,
        )
    digest = f"sha{algorithm[2:]}"

    def sign(message: bytes) -> bytes:
        return hmac.digest(secret, message, digest)

    return SigningKey(algorithm, key_id, sign)


def _decoded(value: object, name: str) -> bytes:
    try:
        return read_base64url(str(value or "").rstrip("="))
    except ValueError:
        pass
    raise ValueError(f"the member {name} of this JWK is no base64url")  # outside: see `_read_json`


def _check_size(bits: int) -> None:
    if bits < SMALLEST_RSA_KEY:
        raise ValueError(f"an RSA key has {SMALLEST_RSA_KEY} bits or more, not {bits}")


def _checked(algorithm: str, sign: Callable[[bytes], object]) -> Callable[[bytes], bytes]:
    def call(message: bytes) -> bytes:
        signature = sign(message)
        _check_signature(algorithm, signature)
        return cast("bytes", signature)

    return call


def _with_signature(text: str, algorithm: str, signature: bytes) -> str:
    _check_signature(algorithm, signature)
    return f"{text}.{base64url(signature)}"


def _check_signature(algorithm: str, signature: object) -> None:
    length = ALGORITHMS[algorithm].length
    if not isinstance(signature, bytes):
        raise LocalProtocolError(
            f"what signs for {algorithm} has returned a {type(signature).__name__}",
            advice="let it return the bytes of the signature",
        )
    size = len(signature)
    fits = size >= SMALLEST_RSA_KEY // 8 if length is None else size == length
    if not fits:
        raise LocalProtocolError(
            f"a signature of {algorithm} does not have {size} bytes",
            advice="for ES256 and its kind give r and s in a row (RFC 7518 section 3.4), not DER",
        )
