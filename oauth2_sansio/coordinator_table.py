"""Everything that decides what may happen when, for the coordinator: `Stage`, `TRANSITIONS`.

What a stage means is in the steps (`coordinator_renewal.py`, `coordinator_keeping.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import Protocol, TypeAlias

from .coordinator_events import (
    CoordinatorAction,
    CoordinatorEvent,
    DeleteRecord,
    LeaseHeld,
    LeaseReleased,
    LeaseTaken,
    LoadRecord,
    RecordDeleted,
    RecordLoaded,
    RecordReplaced,
    ReleaseLease,
    ReplaceRecord,
    SendRequest,
    StoreFailed,
    TakeLease,
    TooLateToSend,
)
from .errors import LocalProtocolError
from .events import (
    Finished,
    RequestFailed,
    ResponseReceived,
    SignatureMade,
    SignatureNeeded,
    Started,
    Wait,
    WaitElapsed,
)
from .token_record import RefreshStarted


class Stage(Enum):
    """Where a coordination stands."""

    READY = auto()  # built, not started
    PEEKING = auto()  # reading without the lease: has somebody renewed the token?
    LEASING = auto()  # asking for the lease
    WAITING = auto()  # somebody else has the lease
    LOADING = auto()  # reading under the lease
    MARKING = auto()  # writing that a refresh begins
    REQUESTING = auto()  # the flow is at work
    SAVING = auto()  # writing the new token
    RECONCILING = auto()  # somebody has written meanwhile: reading what
    EXTENDING = auto()  # saving has failed: keeping others away from the old token
    CONFIRMING = auto()  # the server said invalid_grant: reading whether that was a newer token's
    BURYING = auto()  # writing that the refresh token is dead
    NOTING = auto()  # writing that the refresh has failed
    DELETING = auto()  # deleting the record
    RELEASING = auto()  # giving the lease back
    FINISHED = auto()  # the result is known
    FAILED = auto()  # an error was raised


ASKS: Mapping[Stage, frozenset[type]] = MappingProxyType(
    {
        Stage.PEEKING: frozenset({LoadRecord}),
        Stage.LEASING: frozenset({TakeLease}),
        Stage.WAITING: frozenset({Wait}),
        Stage.LOADING: frozenset({LoadRecord}),
        Stage.MARKING: frozenset({ReplaceRecord}),
        Stage.REQUESTING: frozenset({SendRequest, SignatureNeeded, Wait}),
        Stage.SAVING: frozenset({ReplaceRecord}),
        Stage.RECONCILING: frozenset({LoadRecord}),
        Stage.EXTENDING: frozenset({TakeLease}),
        Stage.CONFIRMING: frozenset({LoadRecord}),
        Stage.BURYING: frozenset({ReplaceRecord}),
        Stage.NOTING: frozenset({ReplaceRecord}),
        Stage.DELETING: frozenset({DeleteRecord}),
        Stage.RELEASING: frozenset({ReleaseLease}),
        Stage.FINISHED: frozenset({Finished}),
    }
)
"""The actions that lead into a stage."""

_END = frozenset({Stage.RELEASING, Stage.FINISHED})
_SAVE = frozenset({Stage.SAVING, Stage.EXTENDING})  # the latter for what no record can hold
_AFTER_THE_FLOW = _END | _SAVE | {Stage.REQUESTING, Stage.CONFIRMING, Stage.NOTING}
_ONCE_SAVED = _END | {Stage.LEASING}  # an unsaved token may be stale by the time it is saved

TRANSITIONS: Mapping[tuple[Stage, type], frozenset[Stage]] = MappingProxyType(
    {
        (Stage.READY, Started): _SAVE
        | {Stage.PEEKING, Stage.LEASING, Stage.RECONCILING, Stage.FINISHED},
        (Stage.PEEKING, RecordLoaded): frozenset({Stage.LEASING, Stage.DELETING, Stage.FINISHED}),
        (Stage.PEEKING, StoreFailed): frozenset({Stage.FINISHED}),
        (Stage.LEASING, LeaseTaken): frozenset({Stage.LOADING}),
        (Stage.LEASING, LeaseHeld): frozenset({Stage.WAITING, Stage.FINISHED}),
        (Stage.LEASING, StoreFailed): _END,
        (Stage.WAITING, WaitElapsed): frozenset({Stage.PEEKING}),
        (Stage.LOADING, RecordLoaded): _END | {Stage.MARKING},
        (Stage.LOADING, StoreFailed): _END,
        (Stage.MARKING, RecordReplaced): _AFTER_THE_FLOW | {Stage.LOADING, Stage.LEASING},
        (Stage.MARKING, StoreFailed): _END,
        (Stage.REQUESTING, ResponseReceived): _AFTER_THE_FLOW,
        (Stage.REQUESTING, RequestFailed): _AFTER_THE_FLOW,
        (Stage.REQUESTING, SignatureMade): _AFTER_THE_FLOW,
        (Stage.REQUESTING, WaitElapsed): _AFTER_THE_FLOW,
        (Stage.REQUESTING, TooLateToSend): _END | {Stage.LEASING},
        (Stage.SAVING, RecordReplaced): _ONCE_SAVED | {Stage.RECONCILING},
        (Stage.SAVING, StoreFailed): frozenset({Stage.EXTENDING}),
        (Stage.RECONCILING, RecordLoaded): _ONCE_SAVED | _SAVE,
        (Stage.RECONCILING, StoreFailed): frozenset({Stage.EXTENDING}),
        (Stage.EXTENDING, LeaseTaken): _SAVE,
        (Stage.EXTENDING, LeaseHeld): frozenset(),
        (Stage.EXTENDING, StoreFailed): frozenset(),
        (Stage.CONFIRMING, RecordLoaded): _END | {Stage.BURYING, Stage.LEASING},
        (Stage.CONFIRMING, StoreFailed): _END,
        (Stage.BURYING, RecordReplaced): _END | {Stage.CONFIRMING},
        (Stage.BURYING, StoreFailed): _END,
        (Stage.NOTING, RecordReplaced): _END,
        (Stage.NOTING, StoreFailed): _END,
        (Stage.DELETING, RecordDeleted): frozenset({Stage.PEEKING, Stage.FINISHED}),
        (Stage.DELETING, StoreFailed): frozenset(),
        (Stage.RELEASING, LeaseReleased): frozenset({Stage.FINISHED}),
        (Stage.RELEASING, StoreFailed): frozenset({Stage.FINISHED}),
    }
)
"""In this stage, on this event, these stages may follow. `ASKS` says what each of them asks for.

An event that is not listed is a `LocalProtocolError` and changes nothing. An error raised by a step
leads to FAILED from anywhere; where no stage is listed, nothing but an error follows.
"""

Next: TypeAlias = tuple[Stage, CoordinatorAction]


class Step(Protocol):
    """What knows the policy."""

    @property
    def cut_off(self) -> RefreshStarted | None:
        """A refresh that somebody else has begun, and that has come to no end."""
        ...

    def step(self, stage: Stage, event: CoordinatorEvent, now: float) -> Next:
        """Return the next stage and what to do in it.

        now: seconds since the epoch.
        """
        ...

    def abandon(self, stage: Stage) -> ReleaseLease | None:
        """Return what may be given back if nobody goes on from this stage."""
        ...


Handler: TypeAlias = Callable[..., Next]
"""What a step does in one stage on one event; it takes the event and the time."""


class Coordination:
    """One run of the coordinator: do what it says, tell it what has come of it.

    As a `Flow` it does nothing until it is started, runs once, and belongs to one caller.
    """

    __slots__ = ("_stage", "_step")

    def __init__(self, step: Step) -> None:
        self._step = step
        self._stage = Stage.READY

    @property
    def stage(self) -> Stage:
        """Where this coordination stands."""
        return self._stage

    @property
    def cut_off(self) -> RefreshStarted | None:
        """A refresh of this token that somebody else has begun and that has come to no end."""
        return self._step.cut_off

    def start(self, now: float) -> CoordinatorAction:
        """Begin, and return the first action.

        now: seconds since the epoch.
        Raises what `receive` raises.
        """
        return self.receive(Started(), now)

    def receive(self, event: CoordinatorEvent, now: float) -> CoordinatorAction:
        """Take in what has happened and return what to do next.

        now: seconds since the epoch.
        Raises `LocalProtocolError` for an event that cannot come in this stage, and whatever error
        the coordination ends in.
        """
        stage = self._stage
        follow_ups = TRANSITIONS.get((stage, type(event)))
        if follow_ups is None:
            raise LocalProtocolError(
                f"{type(event).__name__} cannot come while the coordination is {stage.name}",
                advice="do what the last action says, report it once, and stop when it is Finished",
            )
        self._stage = Stage.FAILED  # unless the step succeeds
        target, action = self._step.step(stage, event, now)
        if target not in follow_ups or type(action) not in ASKS[target]:
            raise LocalProtocolError(
                f"{target.name} with {type(action).__name__} cannot follow {stage.name}",
                advice="mend the step: the table of this module says what may follow",
            )
        self._stage = target
        return action

    def abandon(self) -> ReleaseLease | None:
        """End this coordination where it stands, as after a cancellation.

        Returns what the driver may still do, so that others need not wait for the lease to end;
        None where nothing is held, or where its request may have gone out.
        """
        stage, self._stage = self._stage, Stage.FAILED
        return self._step.abandon(stage)

    def __repr__(self) -> str:
        return f"<Coordination {self._stage.name}>"


def print_diagram() -> str:
    """Return the table as a Mermaid state diagram, with one arrow between any two stages."""
    arrows: dict[tuple[Stage, Stage], list[str]] = {}
    for (stage, event), targets in TRANSITIONS.items():
        for target in sorted(targets, key=lambda each: each.value):
            arrows.setdefault((stage, target), []).append(event.__name__)
    return "\n".join(
        [
            "stateDiagram-v2",
            *(
                f"    {stage.name} --> {target.name}: {', '.join(events)}"
                for (stage, target), events in arrows.items()
            ),
        ]
    )
