from __future__ import annotations

import re
from pathlib import Path

import pytest

from oauth2_sansio.coordinator_events import (
    CoordinatorEvent,
    LeaseReleased,
    LeaseTaken,
    LoadRecord,
    RecordDeleted,
    RecordLoaded,
    ReleaseLease,
    TakeLease,
    TooLateToSend,
)
from oauth2_sansio.coordinator_table import (
    ASKS,
    TRANSITIONS,
    Coordination,
    Next,
    Stage,
    print_diagram,
)
from oauth2_sansio.errors import LocalProtocolError, MissingTokenError
from oauth2_sansio.events import Finished, Started
from oauth2_sansio.token_record import RefreshStarted

NOW = 1_000_000.0
LEASE = TakeLease("k", "me", 60)
CUT_OFF = RefreshStarted(owner="other", at=NOW)


class Scripted:
    """A step that returns what it was given, and remembers what it was asked."""

    def __init__(self, *answers: Next | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[Stage, CoordinatorEvent, float]] = []
        self.abandoned: list[Stage] = []
        self.cut_off = CUT_OFF

    def step(self, stage: Stage, event: CoordinatorEvent, now: float) -> Next:
        self.asked.append((stage, event, now))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def abandon(self, stage: Stage) -> ReleaseLease:
        self.abandoned.append(stage)
        return ReleaseLease("k", "me")


def test_a_run_follows_its_step() -> None:
    step = Scripted((Stage.LEASING, LEASE), (Stage.LOADING, LoadRecord("k")))
    run = Coordination(step)
    assert (run.stage, run.cut_off) == (Stage.READY, CUT_OFF)
    assert run.start(NOW) == LEASE
    assert repr(run) == "<Coordination LEASING>"
    assert run.receive(LeaseTaken(), NOW + 1) == LoadRecord("k")
    assert run.stage is Stage.LOADING
    assert step.asked == [
        (Stage.READY, Started(), NOW),
        (Stage.LEASING, LeaseTaken(), NOW + 1),
    ]


def test_an_event_that_cannot_come_changes_nothing() -> None:
    run = Coordination(Scripted((Stage.LEASING, LEASE)))
    run.start(NOW)
    with pytest.raises(LocalProtocolError, match="RecordLoaded cannot come while .* is LEASING"):
        run.receive(RecordLoaded(None, 0), NOW)
    assert run.stage is Stage.LEASING


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param((Stage.MARKING, LEASE), id="a stage that cannot follow"),
        pytest.param((Stage.LEASING, LoadRecord("k")), id="an action of another stage"),
    ],
)
def test_a_step_that_breaks_the_table_is_found(answer: Next) -> None:
    run = Coordination(Scripted(answer))
    with pytest.raises(LocalProtocolError, match="mend the step"):
        run.start(NOW)
    assert run.stage is Stage.FAILED


def test_an_error_of_the_step_ends_the_run() -> None:
    run = Coordination(Scripted(MissingTokenError("none")))
    with pytest.raises(MissingTokenError):
        run.start(NOW)
    assert run.stage is Stage.FAILED


def test_a_run_that_is_abandoned_goes_no_further() -> None:
    step = Scripted((Stage.LEASING, LEASE))
    run = Coordination(step)
    run.start(NOW)
    assert run.abandon() == ReleaseLease("k", "me")
    assert (run.stage, step.abandoned) == (Stage.FAILED, [Stage.LEASING])
    with pytest.raises(LocalProtocolError):
        run.receive(LeaseTaken(), NOW)


@pytest.mark.parametrize(
    ("event", "stages"),
    [
        (Started, {Stage.READY}),
        (LeaseReleased, {Stage.RELEASING}),
        (TooLateToSend, {Stage.REQUESTING}),
        (RecordDeleted, {Stage.DELETING}),
        (LeaseTaken, {Stage.LEASING, Stage.EXTENDING}),
    ],
)
def test_only_what_is_listed_is_taken(event: type, stages: set[Stage]) -> None:
    assert {stage for stage, kind in TRANSITIONS if kind is event} == stages


def test_every_stage_is_reached_and_asks_for_something() -> None:
    reached = {Stage.READY, Stage.FAILED}.union(*TRANSITIONS.values())
    assert reached == set(Stage)
    assert set(ASKS) == reached - {Stage.READY, Stage.FAILED}
    left = {stage for stage, _ in TRANSITIONS}
    assert left == reached - {Stage.FINISHED, Stage.FAILED}
    assert ASKS[Stage.FINISHED] == {Finished}


def test_the_diagram_is_printed_from_the_table() -> None:
    lines = print_diagram().splitlines()
    assert lines[0] == "stateDiagram-v2"
    assert "    RELEASING --> FINISHED: LeaseReleased, StoreFailed" in lines
    pairs = {(stage, target) for (stage, _), targets in TRANSITIONS.items() for target in targets}
    assert len(lines) == 1 + len(pairs)


def test_the_documentation_has_this_diagram() -> None:
    page = Path(__file__).parents[2] / "docs" / "reliability.md"
    [printed] = re.findall(
        r"```mermaid\n(.*?)\n```", page.read_text(encoding="utf-8"), flags=re.DOTALL
    )
    assert printed == print_diagram()
