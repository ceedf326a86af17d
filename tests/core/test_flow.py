"""The table, completely; the diagram; and that misuse changes nothing."""

from itertools import product
from types import MappingProxyType
from typing import Any

import pytest

from oauth2_sansio.errors import ErrorResponse, LocalProtocolError
from oauth2_sansio.events import (
    Action,
    Endpoint,
    Event,
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
from oauth2_sansio.flow import TRANSITIONS, Flow, State, finished, print_diagram

EVENTS: tuple[Event, ...] = (
    Started(),
    ResponseReceived(status=200),
    RequestFailed(OSError()),
    WaitElapsed(),
    SignatureMade(b""),
)
ACTIONS: tuple[Action[str], ...] = (
    RequestToSend(endpoint=Endpoint.TOKEN, url="https://as.example/token"),
    Wait(5.0, "polling"),
    SignatureNeeded(algorithm="ES256", signing_input=b""),
    Finished("result"),
)

# The table once more, in other words: this is what may happen, and all else may not.
DIAGRAM = """\
stateDiagram-v2
    READY --> SIGNING: Started / SignatureNeeded
    READY --> SENDING: Started / RequestToSend
    READY --> WAITING: Started / Wait
    READY --> FINISHED: Started / Finished
    SIGNING --> SIGNING: SignatureMade / SignatureNeeded
    SIGNING --> SENDING: SignatureMade / RequestToSend
    SIGNING --> FINISHED: SignatureMade / Finished
    SENDING --> SIGNING: ResponseReceived / SignatureNeeded
    SENDING --> SENDING: ResponseReceived / RequestToSend
    SENDING --> WAITING: ResponseReceived / Wait
    SENDING --> FINISHED: ResponseReceived / Finished
    SENDING --> WAITING: RequestFailed / Wait
    WAITING --> SIGNING: WaitElapsed / SignatureNeeded
    WAITING --> SENDING: WaitElapsed / RequestToSend"""
ARROWS = {
    (state, event, action): target
    for state, _, target, event, _, action in (
        line.replace(":", "").split() for line in DIAGRAM.splitlines()[1:]
    )
}


class Script:
    """A step that does what it is told, and notes what it was asked."""

    def __init__(self) -> None:
        self.next: Action[str] | Exception = Finished("result")
        self.asked: list[tuple[Event, float]] = []

    def __call__(self, event: Event, now: float) -> Action[str]:
        self.asked.append((event, now))
        if isinstance(self.next, Exception):
            raise self.next
        return self.next


def flow_in(state: State) -> tuple[Flow[str], Script]:
    """Return a flow that has been led to a state, and its step."""
    script = Script()
    flow = Flow(script)
    request, wait, signature, result = ACTIONS
    first = {
        State.SENDING: request,
        State.WAITING: wait,
        State.SIGNING: signature,
        State.FINISHED: result,
        State.FAILED: ErrorResponse("invalid_grant"),
    }
    if state is State.READY:
        return flow, script
    script.next = first[state]
    if state is State.FAILED:
        with pytest.raises(ErrorResponse):
            flow.start(0.0)
    else:
        flow.start(0.0)
    script.asked.clear()
    return flow, script


def name(value: object) -> str:
    return value.name if isinstance(value, State) else type(value).__name__


def test_what_a_flow_was_made_of_can_be_used_again() -> None:
    flow = flow_in(State.READY)[0]
    assert Flow(flow.step).start(0.0) == flow.start(0.0)


@pytest.mark.parametrize("state", State, ids=name)
def test_a_flow_can_be_led_to_each_state(state: State) -> None:
    assert flow_in(state)[0].state is state


@pytest.mark.parametrize(
    ("state", "event", "action"), list(product(State, EVENTS, ACTIONS)), ids=name
)
def test_the_table(state: State, event: Event, action: Action[str]) -> None:
    flow, script = flow_in(state)
    script.next = action
    target = ARROWS.get((name(state), name(event), name(action)))
    if target is not None:
        assert flow.receive(event, 7.0) is action
        assert flow.state.name == target
        assert script.asked == [(event, 7.0)]
    elif any(arrow[:2] == (name(state), name(event)) for arrow in ARROWS):
        with pytest.raises(LocalProtocolError, match=f"{name(action)} cannot follow {name(event)}"):
            flow.receive(event, 7.0)
        assert flow.state is State.FAILED
    else:
        with pytest.raises(
            LocalProtocolError, match=f"{name(event)} cannot come while the flow is {state.name}"
        ):
            flow.receive(event, 7.0)
        assert flow.state is state  # misuse changes nothing,
        assert script.asked == []  # and the step never hears of it


def test_the_table_has_no_row_beside_the_events() -> None:
    assert {state for state, _ in TRANSITIONS} <= set(State)
    assert {event for _, event in TRANSITIONS} == {type(event) for event in EVENTS}
    actions = {action for row in TRANSITIONS.values() for action in row}
    assert actions == {type(action) for action in ACTIONS}


def test_the_diagram_is_the_table() -> None:
    assert print_diagram() == DIAGRAM
    assert {
        (state.name, event.__name__, action.__name__): target.name
        for (state, event), row in TRANSITIONS.items()
        for action, target in row.items()
    } == ARROWS


def test_nobody_changes_the_table() -> None:
    for mapping in (TRANSITIONS, *TRANSITIONS.values()):
        assert isinstance(mapping, MappingProxyType)


@pytest.mark.parametrize("error", [ErrorResponse("invalid_grant"), KeyError("x")], ids=name)
@pytest.mark.parametrize(("state", "event"), TRANSITIONS, ids=name)
def test_an_error_of_the_step_passes_and_the_flow_stays_failed(
    state: State, event: type[Event], error: Exception
) -> None:
    flow, script = flow_in(state)
    script.next = error
    with pytest.raises(type(error)) as caught:
        flow.receive(next(each for each in EVENTS if type(each) is event), 1.0)
    assert caught.value is error
    for each in EVENTS:
        with pytest.raises(LocalProtocolError, match="while the flow is FAILED"):
            flow.receive(each, 2.0)
    assert flow.state is State.FAILED
    assert len(script.asked) == 1


@pytest.mark.parametrize("state", State, ids=name)
@pytest.mark.parametrize("junk", [None, "Started", Started, ACTIONS[0], Exception()], ids=name)
def test_what_is_no_event_changes_nothing(state: State, junk: Any) -> None:
    flow, script = flow_in(state)
    with pytest.raises(LocalProtocolError, match=f"{name(junk)} cannot come") as caught:
        flow.receive(junk, 1.0)
    assert caught.value.advice == (
        "do what the last action says, report it once, and stop when it is Finished"
    )
    assert flow.state is state
    assert script.asked == []


def test_a_step_cannot_drive_its_own_flow() -> None:
    def step(event: Event, now: float) -> Action[str]:
        return flow.receive(event, now)

    flow = Flow(step)
    with pytest.raises(LocalProtocolError, match="Started cannot come while the flow is FAILED"):
        flow.start(0.0)


def test_start_sends_started() -> None:
    flow, script = flow_in(State.READY)
    assert flow.start(3.0) == Finished("result")
    assert script.asked == [(Started(), 3.0)]
    assert repr(flow) == "<Flow FINISHED>"


def test_a_flow_without_a_request() -> None:
    asked: list[float] = []

    def result(now: float) -> str:
        asked.append(now)
        return "result"

    flow = finished(result)
    assert asked == []  # nothing happens before the start
    assert flow.start(3.0) == Finished("result")
    assert asked == [3.0]
