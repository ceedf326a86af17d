"""What is promised of a token that processes share holds, whatever goes wrong.

The environment variable SIMULATION_SEEDS says how many histories are lived through; by hand,
`python -m tests.simulation --seeds N` does the same.
"""

from __future__ import annotations

import os

import pytest

from oauth2_sansio.coordinator_renewal import RenewalStep

from .__main__ import main, run_seeds
from .faulty import (
    BringingBack,
    Forgetting,
    GivingUp,
    PublishingFirst,
    SavingAnyhow,
    WithoutReading,
    WithoutSecondLook,
    make_with,
)
from .scenario import NOTHING, MakeCoordinator, run_seed
from .world import Violation

SEEDS = int(os.environ.get("SIMULATION_SEEDS", "500"))


def test_no_promise_is_broken_whatever_goes_wrong() -> None:
    reports = run_seeds(0, SEEDS)
    assert sum(report.callers for report in reports) > 5 * SEEDS
    assert any(report.failed for report in reports)  # else nothing has gone wrong


@pytest.mark.parametrize("seed", range(20))
def test_where_nothing_goes_wrong_there_is_one_request_for_each_expiry(seed: int) -> None:
    report = run_seed(seed, rates=NOTHING, rounds=4)
    # The last caller, who comes once all is over, makes the fifth.
    assert (report.requests, report.refreshes, report.failed, report.lost) == (5, 5, 0, False)


def test_a_seed_gives_the_same_history_each_time() -> None:
    histories: list[list[str]] = []
    for _ in range(2):
        history: list[str] = []
        run_seed(7, trace=history.append)
        histories.append(history)
    assert histories[0] == histories[1]
    assert histories[0]


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        pytest.param(WithoutReading, "successor was in the store", id="no re-read after the lease"),
        pytest.param(PublishingFirst, "before it is saved", id="publish before save"),
        pytest.param(WithoutSecondLook, "whose token is in the store", id="no double check"),
        pytest.param(Forgetting, "known to be dead", id="no tombstone"),
        pytest.param(BringingBack, "brings back", id="a logout is overlooked"),
        pytest.param(SavingAnyhow, "brings back", id="a logout is overwritten"),
        pytest.param(GivingUp, "that it has had an answer for", id="an unsaved token is dropped"),
    ],
)
def test_a_fault_in_the_policy_is_found(fault: type[RenewalStep], complaint: str) -> None:
    make = make_with(fault)
    found = ((seed, _violation(seed, make)) for seed in range(400))
    seed, told = next((seed, told) for seed, told in found if told and complaint in told)
    assert _violation(seed, make) == told  # the same seed, the same fault


def test_a_seed_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_seed: int) -> None:
        raise Violation("a promise was broken")

    monkeypatch.setattr("tests.simulation.__main__.run_seed", fail)
    with pytest.raises(Violation, match=r"seed 3: a promise .* --replay 3"):
        run_seeds(3, 1)


def test_the_command_line_counts_and_replays(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["simulation", "--seeds", "2", "--first", "5"])
    assert main() == 0
    assert capsys.readouterr().out.startswith("2 seeds in ")
    monkeypatch.setattr("sys.argv", ["simulation", "--replay", "5"])
    assert main() == 0
    assert "Report(seed=5" in capsys.readouterr().out


def _violation(seed: int, make: MakeCoordinator) -> str | None:
    try:
        run_seed(seed, make)
    except Violation as violation:
        return str(violation)
    return None
