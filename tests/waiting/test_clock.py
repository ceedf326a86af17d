"""The time that the adapters hand to the core."""

from __future__ import annotations

import time

import pytest

from oauth2_sansio.waiting import clock


def test_now_is_the_time() -> None:
    before = time.time()
    assert clock.now() >= before


def test_a_wall_clock_that_is_set_back_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    before = clock.now()
    monkeypatch.setattr(clock, "wall_clock", lambda: 0.0)
    assert clock.now() >= before


def test_a_wall_clock_that_is_set_forward_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = clock.now() + 3600
    monkeypatch.setattr(clock, "wall_clock", lambda: ahead)
    assert clock.now() == ahead


def test_sleep_takes_no_time_for_nothing() -> None:
    clock.sleep(0)
