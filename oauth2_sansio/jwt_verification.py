"""JWTs that a server has signed: read strictly, and believed only once all of it has been checked."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard, cast

from .answers import read_json
from .client_auth import HoldsSecrets
from .errors import LocalProtocolError, RemoteProtocolError, printable
from .jwt_algorithms import ALGORITHMS, find_algorithm, read_base64url

if TYPE_CHECKING:
    from .client import Client
    from .server_keys import ServerKeys

LONGEST_JWT = 16_384
"""Characters of a JWT that is read; a longer one is refused."""

CLOCK_TOLERANCE = 30.0
"""Seconds by which the clocks of client and server may differ."""

_DEFAULT = "RS256"
_FURTHEST = 1e12  # seconds since the epoch


class Broken(Protocol):
    """Makes the error for a JWT that is refused."""

    def __call__(
        self, description: str, /, *, error: str | None = None, advice: str | None = None
    ) -> RemoteProtocolError:
        """Return the error."""
        ...


@dataclass(frozen=True, slots=True)
class JWT:
    """A JWT (RFC 7519) as it came: `read_jwt` makes it, and nothing of it is proved by that.

    message, signature: what was signed, and the signature.
    """

    header: Mapping[str, Any]
    claims: Mapping[str, Any] = field(repr=False)
    message: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    @property
    def algorithm(self) -> str:
        """The header `alg`."""
        return str(self.header["alg"])

    @property
    def key_id(self) -> str | None:
        """The header `kid`."""
        return self.header.get("kid")

    @property
    def typ(self) -> str | None:
        """The header `typ` in lower case, without the `application/` that may be left out."""
        typ: str | None = self.header.get("typ")
        return None if typ is None else typ.lower().removeprefix("application/")

    def check_times(self, now: float, broken: Broken, *, required: str) -> None:
        """Check when this JWT counts (RFC 7519 sections 4.1.4 to 4.1.6).

        now: seconds since the epoch.
        broken: makes the error where it does not.
        required: the claim that has to be there, `exp` or `iat`.
        """
        times = {name: self.claims.get(name) for name in ("exp", "nbf", "iat")}
        for name, value in times.items():
            if value is not None and not is_time(value):
                raise broken(f"the claim {name} of the server's JWT is no time")
        if times[required] is None:
            raise broken(f"the server's JWT has no claim {required}")
        expires_at = times.pop("exp")
        if expires_at is not None and expires_at + CLOCK_TOLERANCE <= now:
            raise broken(
                "the server's JWT has expired",
                error="jwt_expired",
                advice="start again; if that does not help, check the clock",
            )
        if any(value is not None and value - CLOCK_TOLERANCE > now for value in times.values()):
            raise broken(
                "the server's JWT is of a time that is still to come",
                error="jwt_not_yet_valid",
                advice="check the clock",
            )


def read_jwt(text: str) -> JWT:
    """Take a signed JWT apart (RFC 7515 section 3.1), strictly.

    What its header says of keys (`jwk`, `jku`, `x5c`, `x5u`) is not even looked at.
    Raises `ValueError` with the reason, which quotes nothing of it.
    """
    if len(text) > LONGEST_JWT:
        raise ValueError(f"it is longer than {LONGEST_JWT} characters")
    dots = text.count(".")  # before anything is split
    if dots == 4:
        raise ValueError(
            "it is encrypted, which is not supported: register the client without encryption"
        )
    if dots != 2:
        raise ValueError("it is no signed JWT")
    encoded_header, encoded_claims, encoded_signature = text.split(".")
    header, claims = _object(encoded_header), _object(encoded_claims)
    if "crit" in header or "b64" in header:  # RFC 7515 section 4.1.11, RFC 7797
        raise ValueError("its header demands what is not understood")
    if not isinstance(header.get("alg"), str):
        raise ValueError("its header has no alg")  # noqa: TRY004 - of what was sent
    if any(not isinstance(header.get(name, ""), str) for name in ("kid", "typ")):
        raise ValueError("its header has a kid or typ that is no text")
    message = f"{encoded_header}.{encoded_claims}".encode("ascii")
    return JWT(header, claims, message, read_base64url(encoded_signature))


@dataclass(frozen=True, slots=True, kw_only=True)
class JWTVerification(HoldsSecrets):
    """What a JWT of the server has to be: whose, for whom, and how signed.

    issuer: the claim `iss`, character by character.
    client_id: has to be in the claim `aud`.
    algorithms: the only ones that are allowed, whatever the JWT says.
    keys: the server's; not needed for the algorithms of a shared secret.
    secret: that secret; for those algorithms alone.
    """

    issuer: str
    client_id: str
    algorithms: tuple[str, ...]
    keys: ServerKeys | None = None
    secret: bytes | None = field(default=None, repr=False)

    def verify(self, text: str, broken: Broken) -> JWT:
        """Return a JWT of which all is proved but that its time is right: see `JWT.check_times`.

        broken: makes the error for any other one.
        """
        try:
            jwt = read_jwt(text)
        except ValueError as error:
            reason = str(error)
        else:
            self._check(jwt, broken)
            return jwt
        raise broken(f"the server's JWT is refused: {reason}")

    def _check(self, jwt: JWT, broken: Broken) -> None:
        if jwt.algorithm not in self.algorithms:
            raise broken(
                f"the server's JWT is signed with {printable(jwt.algorithm, 40)}, which is not "
                f"among: {', '.join(self.algorithms)}",
                error="unexpected_algorithm",
                advice="give the client the algorithm that it is registered with",
            )
        if jwt.claims.get("iss") != self.issuer:
            raise broken("the server's JWT is another issuer's", error="issuer_mismatch")
        audience = jwt.claims.get("aud")
        if audience != self.client_id and not (
            isinstance(audience, list) and self.client_id in audience
        ):
            raise broken("the server's JWT is for somebody else", error="audience_mismatch")
        if not self._is_signed(jwt, broken):
            raise broken("the signature of the server's JWT is wrong", error="invalid_signature")

    def _is_signed(self, jwt: JWT, broken: Broken) -> bool:
        needed = ALGORITHMS[jwt.algorithm]
        if needed.length not in (None, len(jwt.signature)):
            return False
        if needed.kind == "oct":
            if self.secret is None:
                return False
            right = hmac.digest(self.secret, jwt.message, f"sha{jwt.algorithm[2:]}")
            return hmac.compare_digest(right, jwt.signature)
        keys = () if self.keys is None else self.keys.find(jwt.algorithm, jwt.key_id)
        if not keys:
            raise broken(
                "the server's JWT is signed with a key that is not among the server's keys",
                error="unknown_key",
                advice="fetch the keys anew, once: the server may have a new one",
            )
        return any(key.verify(jwt.algorithm, jwt.message, jwt.signature) for key in keys)


def authorization_verification(client: Client, keys: ServerKeys | None) -> JWTVerification:
    """Return what a signed answer of the authorization endpoint has to be (JARM section 2.4).

    keys: the server's.
    The algorithm is the one that the client is registered with; where it names none, one of those
    that the server supports, and where that names none either, RS256. The algorithm of a shared
    secret has to be registered.
    Raises `LocalProtocolError` for what is missing: the issuer, the keys, the secret.
    """
    return _verification(
        client,
        keys,
        client.authorization_signed_response_alg,
        client.server.authorization_signing_alg_values_supported,
    )


def introspection_verification(client: Client, keys: ServerKeys | None) -> JWTVerification:
    """Return what a signed introspection response has to be (RFC 9701 section 5), in the same way."""
    return _verification(
        client,
        keys,
        client.introspection_signed_response_alg,
        client.server.introspection_signing_alg_values_supported,
    )


def is_time(value: object) -> TypeGuard[float]:
    """Say whether a claim is a number of seconds that can be a time (RFC 7519 section 2)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < _FURTHEST  # a whole number may be too large to become a fraction


def _verification(
    client: Client,
    keys: ServerKeys | None,
    registered: str | None,
    supported: tuple[str, ...] | None,
) -> JWTVerification:
    issuer = client.server.issuer
    if issuer is None:
        raise LocalProtocolError(
            "a signed answer names its issuer, and this server has none",
            advice="give Server(issuer=...), or read the server's metadata",
        )
    algorithms = _allowed(registered, supported)
    secret = None
    if registered is not None and find_algorithm(registered).kind == "oct":
        secret = _secret_of(client, registered)
    elif keys is None:
        raise LocalProtocolError(
            "to verify a signed answer takes the server's keys, and none were given",
            advice="fetch them first, with the flow ServerKeys.fetch(server), and give keys=",
        )
    return JWTVerification(
        issuer=issuer,
        client_id=client.client_id,
        algorithms=algorithms,
        keys=keys,
        secret=secret,
    )


def _allowed(registered: str | None, supported: tuple[str, ...] | None) -> tuple[str, ...]:
    if registered is not None:
        return (registered,)
    if supported is None:
        return (_DEFAULT,)
    known = tuple(
        name for name in supported if name in ALGORITHMS and ALGORITHMS[name].kind != "oct"
    )
    if not known:
        raise LocalProtocolError(
            "the server's metadata name no algorithm for its signatures that is known here",
            advice="register the client with one of: RS256, PS256, ES256, EdDSA",
        )
    return known


def _secret_of(client: Client, algorithm: str) -> bytes:
    # The secret of each way to authenticate that has one.
    secret: object = client.client_secret or getattr(client.auth, "client_secret", None)
    needed = ALGORITHMS[algorithm].length
    assert needed is not None  # a shared secret is as long as the hash
    if not isinstance(secret, str) or len(secret.encode()) < needed:
        raise LocalProtocolError(
            f"to verify {algorithm} takes a client_secret of {needed} bytes or more",
            advice="register the client for RS256, ES256 or another one with keys",
        )
    return secret.encode()


def _object(segment: str) -> dict[str, Any]:
    value = read_json(read_base64url(segment))
    if not isinstance(value, dict):
        raise ValueError("it is not made of JSON objects")  # noqa: TRY004 - of what was sent
    return cast("dict[str, Any]", value)
