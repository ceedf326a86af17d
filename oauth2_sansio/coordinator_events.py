"""What crosses the border of the coordinator: what to ask of a store, and what has come of it.

| Action (out) | The driver |
|---|---|
| `TakeLease` | `store.lease(key, owner, seconds)`: `LeaseTaken` or `LeaseHeld` |
| `LoadRecord` | `store.load(key)`: `RecordLoaded` |
| `ReplaceRecord` | `store.replace(key, content, expected=expected)`: `RecordReplaced` |
| `DeleteRecord` | `store.delete(key, expected=expected)`: `RecordDeleted` |
| `ReleaseLease` | `store.release(key, owner)`: `LeaseReleased` |
| `SendRequest` | sends the request if it is not too late: an event of a flow, or `TooLateToSend` |
| `SignatureNeeded`, `Wait`, `Finished` | as with a flow |

Where the store raises, the event is `StoreFailed`, whatever the action was.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from .events import (
    Finished,
    RequestFailed,
    RequestToSend,
    ResponseReceived,
    SignatureMade,
    SignatureNeeded,
    Started,
    Wait,
    WaitElapsed,
)
from .tokens import OAuth2Token

# Out: what the driver has to do next.


@dataclass(frozen=True, slots=True)
class TakeLease:
    """Ask the store for the lease of a key, or extend it.

    seconds: how long nobody else gets it, unless it is released.
    """

    key: str
    owner: str
    seconds: float


@dataclass(frozen=True, slots=True)
class LoadRecord:
    """Read what the store holds under a key."""

    key: str


@dataclass(frozen=True, slots=True)
class ReplaceRecord:
    """Write a record, unless somebody else has written meanwhile.

    expected: the version that is to be replaced; 0 where there is no record.
    """

    key: str
    content: bytes = field(repr=False)
    expected: int


@dataclass(frozen=True, slots=True)
class DeleteRecord:
    """Delete a record, unless somebody else has written meanwhile.

    expected: the version that is to be deleted.
    """

    key: str
    expected: int


@dataclass(frozen=True, slots=True)
class ReleaseLease:
    """Give the lease back."""

    key: str
    owner: str


@dataclass(frozen=True, slots=True)
class SendRequest:
    """Send this request, but only up to a point in time, for then the lease may be somebody else's.

    not_after: in seconds since the epoch. Look at the clock last, right before sending.
    """

    request: RequestToSend
    not_after: float


# In: what has happened.


@dataclass(frozen=True, slots=True)
class LeaseTaken:
    """The lease is this owner's."""


@dataclass(frozen=True, slots=True)
class LeaseHeld:
    """The lease is somebody else's.

    seconds: how long it still lasts, unless it is released or extended.
    """

    seconds: float


@dataclass(frozen=True, slots=True)
class RecordLoaded:
    """The store was read.

    content: None where there is no record; then the version is 0.
    """

    content: bytes | None = field(repr=False)
    version: int


@dataclass(frozen=True, slots=True)
class RecordReplaced:
    """The store has answered a `ReplaceRecord`.

    version: the new one; None where another one than the expected was there, and nothing changed.
    """

    version: int | None


@dataclass(frozen=True, slots=True)
class RecordDeleted:
    """The store has answered a `DeleteRecord`.

    deleted: false where another version than the expected one was there.
    """

    deleted: bool


@dataclass(frozen=True, slots=True)
class LeaseReleased:
    """The lease was given back."""


@dataclass(frozen=True, slots=True)
class StoreFailed:
    """The store has raised. Whether it has done what was asked is not known.

    cause: what it raised.
    """

    cause: Exception

    def __repr__(self) -> str:
        # The text of a store's exception may quote a password, or a record: show its type alone.
        return f"StoreFailed(cause={type(self.cause).__name__})"


@dataclass(frozen=True, slots=True)
class TooLateToSend:
    """The request was not sent, since it would have gone out after `not_after`."""


StoreAction: TypeAlias = TakeLease | LoadRecord | ReplaceRecord | DeleteRecord | ReleaseLease
StoreEvent: TypeAlias = (
    LeaseTaken
    | LeaseHeld
    | RecordLoaded
    | RecordReplaced
    | RecordDeleted
    | LeaseReleased
    | StoreFailed
)
CoordinatorAction: TypeAlias = (
    StoreAction | SendRequest | SignatureNeeded | Wait | Finished[OAuth2Token | None]
)
CoordinatorEvent: TypeAlias = (
    Started
    | StoreEvent
    | TooLateToSend
    | ResponseReceived
    | RequestFailed
    | SignatureMade
    | WaitElapsed
)
