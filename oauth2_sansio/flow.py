"""The state machine that every OAuth operation runs on.

Everything that decides what may happen when is in this file; what an operation means is in its
*step*. Every operation is one logical request, sent as often as it takes to be answered, so one
small table serves them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import Generic, TypeAlias

from .errors import LocalProtocolError
from .events import (
    Action,
    Event,
    Finished,
    RequestFailed,
    RequestToSend,
    ResponseReceived,
    SignatureMade,
    SignatureNeeded,
    Started,
    T,
    Wait,
    WaitElapsed,
)


class State(Enum):
    """Where a flow stands."""

    READY = auto()  # built, not started
    SIGNING = auto()  # a signature is being made
    SENDING = auto()  # a request is out
    WAITING = auto()  # a pause is running
    FINISHED = auto()  # the result is known
    FAILED = auto()  # an error was raised


_GO_ON: Mapping[type, State] = MappingProxyType(
    {SignatureNeeded: State.SIGNING, RequestToSend: State.SENDING}
)
_ANYTHING: Mapping[type, State] = MappingProxyType(
    {**_GO_ON, Wait: State.WAITING, Finished: State.FINISHED}
)

TRANSITIONS: Mapping[tuple[State, type], Mapping[type, State]] = MappingProxyType(
    {
        (State.READY, Started): _ANYTHING,
        (State.SIGNING, SignatureMade): MappingProxyType({**_GO_ON, Finished: State.FINISHED}),
        (State.SENDING, ResponseReceived): _ANYTHING,
        (State.SENDING, RequestFailed): MappingProxyType({Wait: State.WAITING}),
        (State.WAITING, WaitElapsed): _GO_ON,
    }
)
"""In this state, on this event, these actions may follow and lead to that state.

An event that is not listed is a `LocalProtocolError` and changes nothing. An error raised by a step
leads to FAILED from anywhere.
"""

Step: TypeAlias = Callable[[Event, float], Action[T]]
"""What knows the protocol: an event and the time (seconds since the epoch) to the next action."""


class Flow(Generic[T]):
    """Run one OAuth operation: feed it events, do what it says, until it is `Finished`.

    A flow does nothing until it is started, and runs once. Drive it with `drive` or `drive_async`,
    or by hand in any loop. It belongs to one caller: share the result, not the flow.
    """

    __slots__ = ("_state", "_step")

    def __init__(self, step: Step[T]) -> None:
        self._step = step
        self._state = State.READY

    @property
    def state(self) -> State:
        """Where this flow stands."""
        return self._state

    @property
    def step(self) -> Step[T]:
        """What knows the protocol, for a flow that does the same and something more."""
        return self._step

    def start(self, now: float) -> Action[T]:
        """Begin, and return the first action.

        now: seconds since the epoch.
        Raises what `receive` raises.
        """
        return self.receive(Started(), now)

    def receive(self, event: Event, now: float) -> Action[T]:
        """Take in what has happened and return what to do next.

        now: seconds since the epoch.
        Raises `LocalProtocolError` for an event that cannot come in this state, and whatever error
        the operation ends in.
        """
        follow_ups = TRANSITIONS.get((self._state, type(event)))
        if follow_ups is None:
            raise LocalProtocolError(
                f"{type(event).__name__} cannot come while the flow is {self._state.name}",
                advice="do what the last action says, report it once, and stop when it is Finished",
            )
        self._state = State.FAILED  # unless the step succeeds
        action = self._step(event, now)
        target = follow_ups.get(type(action))
        if target is None:
            raise LocalProtocolError(
                f"{type(action).__name__} cannot follow {type(event).__name__}",
                advice="mend the step: the table of this module says what may follow",
            )
        self._state = target
        return action

    def __repr__(self) -> str:
        return f"<Flow {self._state.name}>"


def finished(result: Callable[[float], T]) -> Flow[T]:
    """Return a flow that needs no request: its result is made when it starts."""
    return Flow(lambda _event, now: Finished(result(now)))


def print_diagram() -> str:
    """Return the table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2"]
    lines += [
        f"    {state.name} --> {target.name}: {event.__name__} / {action.__name__}"
        for (state, event), follow_ups in TRANSITIONS.items()
        for action, target in follow_ups.items()
    ]
    return "\n".join(lines)
