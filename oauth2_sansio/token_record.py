"""What a store keeps of a token: whose it is, the token, and how its renewal stands.

RecordError              a StoreError
 ├─ DamagedRecordError   the bytes are no record
 ├─ ForeignRecordError   it is a record of another issuer, client, resource or subject
 └─ NewerRecordError     a newer version of this library has written it
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from hashlib import sha256
from math import inf
from types import MappingProxyType
from typing import Any, cast

from .answers import read_json
from .errors import LocalProtocolError, Outcome, StoreError
from .tokens import OAuth2Token, read_seconds

_NONE = type(None)

FORMAT = 1
"""The version of what `TokenRecord.to_bytes` writes. Each earlier one is read too."""


class RecordError(StoreError):
    """What the store holds cannot be used as this token's record. It is left as it is."""

    default_error = "stored_record"

    def __init__(self, description: str, advice: str) -> None:
        super().__init__(description, advice=advice)
        self.outcome = Outcome.NOT_SENT


class DamagedRecordError(RecordError):
    """The bytes in the store are no record: cut off, changed, or something else altogether."""

    default_error = "damaged_record"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"the stored record is damaged: {reason}",
            "look at what else writes there; delete the record, and authorize again",
        )


class ForeignRecordError(RecordError):
    """The record belongs to another issuer, client, resource or subject.

    member: the first thing in which it differs.
    """

    default_error = "foreign_record"

    def __init__(self, member: str) -> None:
        super().__init__(
            f"the stored record is of another {member}", "give each of them a key of its own"
        )
        self.member = member


class NewerRecordError(RecordError):
    """A newer version of this library has written the record.

    format: the version of the record.
    """

    default_error = "newer_record"

    def __init__(self, format: int) -> None:  # noqa: A002 - its name in the record
        super().__init__(
            f"the stored record has the format {format}, and this version reads up to {FORMAT}",
            "upgrade oauth2_sansio wherever this store is used",
        )
        self.format = format


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenIdentity:
    """Whose token it is. Tokens that differ in any of these never get mixed up.

    issuer: the issuer identifier; where the server has none, its token endpoint.
    resource: the resources or audiences that the token is for, in any order.
    subject: the user, or any label that tells the tokens of one client apart.
    """

    issuer: str
    client_id: str
    resource: tuple[str, ...] = ()
    subject: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "resource", tuple(sorted(set(self.resource))))


def token_key(identity: TokenIdentity) -> str:
    """Return the key under which a store keeps a token: 64 characters of 0-9 and a-f."""
    parts = [identity.issuer, identity.client_id, identity.resource, identity.subject]
    return sha256(json.dumps(parts).encode()).hexdigest()


def fingerprint(refresh_token: str) -> str:
    """Return what tells a refresh token from others without giving it away: its SHA-256."""
    return sha256(refresh_token.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshStarted:
    """The mark that is written before a refresh is sent, so that a crash in it is known.

    owner: who has begun it; a random text.
    at: when, in seconds since the epoch.
    fingerprint: of the refresh token that it sends; None where the grant needs none.
    outcome: how it has failed; None while it runs, and for good where its owner has died.
    failures: how many have failed one after the other.
    pause_until: before that nobody tries again, in seconds since the epoch.
    """

    owner: str
    at: float
    fingerprint: str | None = None
    outcome: Outcome | None = None
    failures: int = 0
    pause_until: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadRefreshToken:
    """A refresh token that the server has called invalid: it is never sent again.

    fingerprint: of that refresh token.
    at: when the server said so, in seconds since the epoch.
    error: its word for it (RFC 6749 section 5.2).
    """

    fingerprint: str
    at: float
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRecord:
    """One token in a store. `repr` shows no secret.

    identity: whose token it is.
    token: with its absolute `expires_at` and the scope that was granted.
    lineages: names the authorizations that its tokens came from, at random, the newest first.
        Renewals keep them.
    dpop_key: the name of the key that the token is bound to (RFC 9449); never the key.
    started: the refresh that was begun last, while no token has come of it.
    dead: the token's refresh token, once the server has called it invalid.
    """

    identity: TokenIdentity
    token: OAuth2Token
    lineages: tuple[str, ...] = ()
    dpop_key: str | None = None
    started: RefreshStarted | None = None
    dead: DeadRefreshToken | None = None

    def to_bytes(self) -> bytes:
        """Return the record as JSON, in ASCII.

        Raises `LocalProtocolError` for a token with members that JSON cannot write.
        """
        document: dict[str, object] = {"format": FORMAT, **_plain(self.identity)}
        document["token"] = dict(self.token)
        document["lineages"] = list(self.lineages)
        document["dpop_key"] = self.dpop_key
        document["started"] = self.started and _plain(self.started)
        document["dead"] = self.dead and _plain(self.dead)
        try:
            written = json.dumps(document, separators=(",", ":")).encode()
            read_json(written, heaviest=inf)  # what cannot be read again would be lost, as NaN
        except (TypeError, ValueError, RecursionError):
            written = b""
        if not written:  # not inside `except`: the exception may quote the token
            raise LocalProtocolError(
                "the token holds something that JSON cannot write",
                advice="keep texts, numbers, lists and dicts in it",
            )
        return written

    @classmethod
    def from_bytes(cls, content: bytes, identity: TokenIdentity) -> TokenRecord:
        """Return what `to_bytes` has made, now or in an earlier version; check that it is ours.

        A bare token response in JSON, as many programs keep it, is read too.

        identity: whose token it has to be.
        Raises `DamagedRecordError`, `ForeignRecordError` or `NewerRecordError`.
        """
        try:
            document = read_json(content, heaviest=inf)
        except ValueError as error:
            reason = str(error)  # the reader quotes nothing
        else:
            return _read(document, identity)
        raise DamagedRecordError(reason)


@dataclass(slots=True)
class _Members:
    # The members of a JSON object. Each is taken once; what is left over belongs to no record.
    left: dict[str, Any] = field(repr=False)

    def take(self, name: str, *kinds: type) -> Any:
        value = self.left.pop(name, None)
        if type(value) not in kinds:
            raise DamagedRecordError(f"its member {name} is missing, or of a wrong type")
        return value

    def optional_text(self, name: str) -> str | None:
        text: str | None = self.take(name, str, _NONE)
        return text

    def texts(self, name: str) -> tuple[str, ...]:
        values: list[Any] = self.take(name, list)
        if not all(isinstance(each, str) for each in values):
            raise DamagedRecordError(f"its member {name} holds something else than texts")
        return tuple(values)

    def seconds(self, name: str) -> float:
        seconds = read_seconds(self.take(name, int, float))
        if seconds is None:
            raise DamagedRecordError(f"its member {name} is out of range")
        return seconds

    def optional_seconds(self, name: str) -> float | None:
        return self.seconds(name) if self.left.get(name) is not None else self.take(name, _NONE)

    def inner(self, name: str) -> _Members | None:
        value: dict[str, Any] | None = self.take(name, dict, _NONE)
        return None if value is None else _Members(value)

    def end(self) -> None:
        if self.left:
            raise DamagedRecordError("it has members that no record has")


def _read(document: object, identity: TokenIdentity) -> TokenRecord:
    if not isinstance(document, dict):
        raise DamagedRecordError("it is not a JSON object")
    members = cast("dict[str, Any]", document)
    version = members.pop("format", 0)
    if type(version) is not int or version < 0:
        raise DamagedRecordError("its format is not a number")
    if version > FORMAT:
        raise NewerRecordError(version)
    for older in range(version, FORMAT):
        members = _MIGRATIONS[older](members, identity)
    return _record(_Members(members), identity)


def _record(members: _Members, identity: TokenIdentity) -> TokenRecord:
    found = TokenIdentity(
        issuer=members.take("issuer", str),
        client_id=members.take("client_id", str),
        resource=members.texts("resource"),
        subject=members.optional_text("subject"),
    )
    for each in fields(TokenIdentity):
        if getattr(found, each.name) != getattr(identity, each.name):
            raise ForeignRecordError(each.name)
    record = TokenRecord(
        identity=identity,
        token=_token(members.take("token", dict)),
        lineages=members.texts("lineages"),
        dpop_key=members.optional_text("dpop_key"),
        started=_started(members.inner("started")),
        dead=_dead(members.inner("dead")),
    )
    members.end()
    return record


def _token(members: dict[str, Any]) -> OAuth2Token:
    token = OAuth2Token(members)
    if not token.access_token and not token.refresh_token and token:
        raise DamagedRecordError("its token is none")
    return token


def _started(members: _Members | None) -> RefreshStarted | None:
    if members is None:
        return None
    outcome = members.optional_text("outcome")
    if outcome is not None and outcome not in _OUTCOMES:
        raise DamagedRecordError("its outcome is none")
    started = RefreshStarted(
        owner=members.take("owner", str),
        at=members.seconds("at"),
        fingerprint=members.optional_text("fingerprint"),
        outcome=_OUTCOMES.get(outcome),
        failures=members.take("failures", int),
        pause_until=members.optional_seconds("pause_until"),
    )
    members.end()
    return started


def _dead(members: _Members | None) -> DeadRefreshToken | None:
    if members is None:
        return None
    dead = DeadRefreshToken(
        fingerprint=members.take("fingerprint", str),
        at=members.seconds("at"),
        error=members.take("error", str),
    )
    members.end()
    return dead


def _of_bare_token(token: dict[str, Any], identity: TokenIdentity) -> dict[str, Any]:
    # A token as many programs keep it. Nobody knows when it was issued, so where it only says how
    # long it lives it counts as expired.
    if read_seconds(token.get("expires_at")) is None and "expires_in" in token:
        token = {**token, "expires_at": 0}
    rest: dict[str, Any] = dict.fromkeys(("dpop_key", "started", "dead"))
    return {**_plain(identity), "token": token, "lineages": [], **rest}


_MIGRATIONS: Mapping[int, Callable[[dict[str, Any], TokenIdentity], dict[str, Any]]] = (
    MappingProxyType({0: _of_bare_token})
)

_OUTCOMES: Mapping[str | None, Outcome] = MappingProxyType({each.value: each for each in Outcome})


def _plain(value: TokenIdentity | RefreshStarted | DeadRefreshToken) -> dict[str, Any]:
    members: dict[str, Any] = {each.name: getattr(value, each.name) for each in fields(value)}
    for name, member in members.items():
        if isinstance(member, tuple):
            members[name] = list(cast("tuple[str, ...]", member))
        elif isinstance(member, Outcome):
            members[name] = member.value
    return members
