from __future__ import annotations

from math import inf

import pytest

from oauth2_sansio.coordinator_events import (
    CoordinatorEvent,
    DeleteRecord,
    LoadRecord,
    RecordDeleted,
    RecordLoaded,
    ReleaseLease,
    ReplaceRecord,
    TakeLease,
)
from oauth2_sansio.coordinator_policy import MOST_ROUNDS, Unsaved
from oauth2_sansio.coordinator_saving import (
    DiscardingStep,
    KeepingStep,
    LookingStep,
    SavingStep,
)
from oauth2_sansio.coordinator_table import Stage
from oauth2_sansio.errors import (
    LocalProtocolError,
    MissingTokenError,
    StoreError,
    UnsavedTokenError,
)
from oauth2_sansio.events import Finished
from oauth2_sansio.token_record import DamagedRecordError
from oauth2_sansio.tokens import OAuth2Token
from tests.core.coordinator_stories import (
    FAILED,
    HELD,
    ME,
    NEW,
    NOW,
    OLD,
    OTHERS,
    RELEASED,
    TAKEN,
    knowledge,
    loaded,
    make,
    record,
    still_unsaved,
    tell,
    written,
)

DAMAGED = RecordLoaded(b"x", 4)


def unsaved() -> Unsaved:
    """Return a token that was renewed and could not be saved."""
    return Unsaved(NEW, ("first",), OLD, 2, ME)


def test_what_is_saved_is_written_once_and_the_lease_given_back() -> None:
    known = knowledge()
    known.unsaved = unsaved()
    story = tell(SavingStep(known), written(3), RELEASED)
    assert story.actions == [
        ReplaceRecord("k", record(NEW).to_bytes(), 2),
        ReleaseLease("k", ME),
        Finished(NEW),
    ]
    assert (still_unsaved(known), known.seen, known.read_at) == (None, True, NOW)


def test_where_all_is_saved_there_is_nothing_to_do() -> None:
    story = tell(SavingStep(knowledge()))
    assert story.actions == [Finished(None)]


@pytest.mark.parametrize(
    ("events", "stages", "result"),
    [
        pytest.param(
            [written(None), loaded(OLD, 5), written(6), RELEASED],
            "saving reconciling saving releasing finished",
            NEW,
            id="somebody has marked the record",
        ),
        pytest.param(
            [written(None), loaded(NEW, 5), RELEASED],
            "saving reconciling releasing finished",
            NEW,
            id="it was written after all",
        ),
        pytest.param(
            [written(None), loaded(OTHERS, 5), FAILED],
            "saving reconciling releasing finished",
            OTHERS,
            id="somebody has renewed the token, and the store does not take the lease back",
        ),
        pytest.param(
            [FAILED, TAKEN, written(3), RELEASED],
            "saving extending saving releasing finished",
            NEW,
            id="the store answers again",
        ),
    ],
)
def test_saving_again(events: list[CoordinatorEvent], stages: str, result: OAuth2Token) -> None:
    known = knowledge()
    known.unsaved = unsaved()
    story = tell(SavingStep(known), *events)
    assert (story.stages, story.result, still_unsaved(known)) == (stages, result, None)
    assert {each.lineages for each in story.written()} == {("first",)}


@pytest.mark.parametrize(
    ("events", "stages", "cause"),
    [
        ([FAILED, FAILED], "saving extending", StoreError),
        ([FAILED, HELD], "saving extending", StoreError),
        ([FAILED, TAKEN, FAILED, TAKEN], "saving extending saving extending", StoreError),
        ([written(None), FAILED, FAILED], "saving reconciling extending", StoreError),
        (
            [written(None), DAMAGED, FAILED],
            "saving reconciling extending",
            DamagedRecordError,
        ),
        (
            [written(None), *[loaded(OLD), written(None)] * MOST_ROUNDS, loaded(OLD), HELD],
            "saving " + "reconciling saving " * MOST_ROUNDS + "reconciling extending",
            StoreError,
        ),
    ],
)
def test_a_token_that_cannot_be_saved_is_kept_and_raised(
    events: list[CoordinatorEvent], stages: str, cause: type[Exception]
) -> None:
    known = knowledge()
    known.unsaved = unsaved()
    story = tell(SavingStep(known), *events)
    assert story.stages == stages
    assert isinstance(story.error, UnsavedTokenError)
    assert story.error.token is NEW
    assert type(story.error.__cause__) is cause
    assert still_unsaved(known) is NEW
    assert TakeLease("k", ME, 60.0) in story.actions


def test_a_record_that_was_deleted_meanwhile_stays_deleted() -> None:
    known = knowledge()
    known.unsaved = unsaved()
    story = tell(SavingStep(known), written(None), loaded(None), RELEASED)
    assert isinstance(story.error, UnsavedTokenError)
    assert isinstance(story.error.__cause__, MissingTokenError)
    assert story.error.token is NEW
    assert still_unsaved(known) is None


def test_a_run_that_saves_gives_nothing_back_when_abandoned() -> None:
    known = knowledge()
    known.unsaved = unsaved()
    assert SavingStep(known).abandon(Stage.SAVING) is None


@pytest.mark.parametrize(
    ("events", "stages", "expected"),
    [
        ([loaded(None), written(1)], "reconciling saving finished", [0]),
        ([loaded(OTHERS, 7), written(8)], "reconciling saving finished", [7]),
        (
            [loaded(OTHERS, 7), written(None), loaded(OLD, 9), written(10)],
            "reconciling saving reconciling saving finished",
            [7, 9],
        ),
        ([loaded(NEW, 7)], "reconciling finished", []),
    ],
)
def test_a_token_that_was_assigned_counts(
    events: list[CoordinatorEvent], stages: str, expected: list[int]
) -> None:
    known = knowledge()
    story = tell(KeepingStep(known, NEW), *events)
    assert (story.stages, story.result, still_unsaved(known)) == (stages, NEW, None)
    assert [each.expected for each in story.actions if isinstance(each, ReplaceRecord)] == expected
    lineages = {0: (ME,)}  # where there was a record, its own come behind
    assert [each.lineages for each in story.written()] == [
        lineages.get(version, (ME, "first")) for version in expected
    ]


def test_an_assigned_token_that_was_written_after_all_does_not_come_back() -> None:
    known = knowledge()
    failed = tell(KeepingStep(known, NEW), loaded(OTHERS, 7), FAILED)
    assert failed.stages == "reconciling saving"
    assert isinstance(failed.error, UnsavedTokenError)
    # It was written all the same, and somebody has renewed it since.
    story = tell(SavingStep(known), written(None), loaded(OLD, 9, lineages=("later", ME)))
    assert (story.stages, story.result) == ("saving reconciling finished", OLD)


def test_an_assigned_token_that_was_perhaps_written_and_deleted_does_not_come_back() -> None:
    known = knowledge()
    tell(KeepingStep(known, NEW), loaded(OTHERS, 7), FAILED)
    story = tell(SavingStep(known), written(None), loaded(None))
    assert story.stages == "saving reconciling"
    assert isinstance(story.error, UnsavedTokenError)
    assert isinstance(story.error.__cause__, MissingTokenError)
    assert still_unsaved(known) is None


def test_the_first_token_of_all_is_saved_again() -> None:
    known = knowledge()
    tell(KeepingStep(known, NEW), loaded(None), FAILED)
    story = tell(SavingStep(known), written(None), loaded(None), written(9))
    assert (story.stages, story.result) == ("saving reconciling saving finished", NEW)
    assert still_unsaved(known) is None


def test_an_assigned_token_takes_the_place_of_one_that_was_deleted_just_now() -> None:
    story = tell(
        KeepingStep(knowledge(), NEW), loaded(OTHERS, 7), written(None), loaded(None), written(9)
    )
    assert (story.stages, story.result) == ("reconciling saving reconciling saving finished", NEW)


def test_a_token_that_no_record_can_hold_is_kept_in_memory() -> None:
    known = knowledge()
    story = tell(KeepingStep(known, make("A", more={1})), loaded(None))
    assert isinstance(story.error, UnsavedTokenError)
    assert isinstance(story.error.__cause__, LocalProtocolError)


def test_assigning_forgets_what_was_known_of_the_last() -> None:
    known = knowledge()
    known.dead = "x", StoreError("x")
    tell(KeepingStep(known, NEW), loaded(None), written(1))
    assert known.dead is None


def test_another_assigned_meanwhile_stays_to_be_saved() -> None:
    known = knowledge()
    step = KeepingStep(known, NEW)
    assert tell(step, loaded(None)).stages == "reconciling saving"
    known.unsaved = Unsaved(OTHERS, ("later",))
    assert step.step(Stage.SAVING, written(1), NOW) == (Stage.FINISHED, Finished(NEW))
    assert still_unsaved(known) is OTHERS


@pytest.mark.parametrize(("found", "result"), [(loaded(NEW), NEW), (loaded(None), None)])
def test_a_look_reads(found: RecordLoaded, result: OAuth2Token | None) -> None:
    story = tell(LookingStep(knowledge()), found)
    assert story.actions == [LoadRecord("k"), Finished(result)]


def test_a_look_finds_what_is_unsaved() -> None:
    known = knowledge()
    known.unsaved = unsaved()
    assert tell(LookingStep(known)).actions == [Finished(NEW)]


@pytest.mark.parametrize(("event", "error"), [(FAILED, StoreError), (DAMAGED, DamagedRecordError)])
def test_a_look_that_fails(event: CoordinatorEvent, error: type[StoreError]) -> None:
    known = knowledge()
    assert type(tell(LookingStep(known), event).error) is error
    assert known.read_at == (NOW if event is FAILED else -inf)


@pytest.mark.parametrize(
    ("events", "stages"),
    [
        ([loaded(None)], "peeking finished"),
        ([DAMAGED, RecordDeleted(deleted=True)], "peeking deleting finished"),
        (
            [loaded(OLD), RecordDeleted(deleted=False), loaded(None)],
            "peeking deleting peeking finished",
        ),
    ],
)
def test_a_record_is_deleted(events: list[CoordinatorEvent], stages: str) -> None:
    known = knowledge()
    known.unsaved = unsaved()
    story = tell(DiscardingStep(known), *events)
    assert (story.stages, story.result, still_unsaved(known)) == (stages, None, None)
    assert all(
        each == DeleteRecord("k", event.version)
        for each, event in zip(story.actions[1:], events, strict=False)
        if isinstance(event, RecordLoaded) and event.content is not None
    )


@pytest.mark.parametrize(
    "events",
    [
        [FAILED],
        [loaded(OLD), FAILED],
        [*[loaded(OLD), RecordDeleted(deleted=False)] * MOST_ROUNDS, loaded(OLD)],
    ],
)
def test_a_record_that_cannot_be_deleted(events: list[CoordinatorEvent]) -> None:
    assert type(tell(DiscardingStep(knowledge()), *events).error) is StoreError
