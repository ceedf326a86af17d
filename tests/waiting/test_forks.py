"""Who is told in the child of a fork; real forks are in `tests/stores/test_forks.py`."""

from __future__ import annotations

import gc
import os
import runpy

import pytest

from oauth2_sansio.waiting import forks


class Told:
    """Counts how often it was told."""

    def __init__(self, error: Exception | None = None) -> None:
        self.times = 0
        self._error = error

    def after_fork(self) -> None:
        self.times += 1
        if self._error is not None:
            raise self._error


def test_all_are_told_that_are_still_there(monkeypatch: pytest.MonkeyPatch) -> None:
    first, gone, second = Told(), Told(), Told()
    monkeypatch.setattr(forks, "_remembered", type(forks._remembered)())
    for each in (first, gone, second):
        forks.remember(each)
    del each, gone
    gc.collect()
    assert len(forks._remembered) == 2
    forks.in_child()
    assert (first.times, second.times) == (1, 1)


def test_one_that_fails_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    several = [Told(OSError("no file")), Told(), Told(ValueError("no pool"))]
    monkeypatch.setattr(forks, "_remembered", type(forks._remembered)(several))
    with pytest.raises(ExceptionGroup) as caught:
        forks.in_child()
    assert sorted(map(str, caught.value.exceptions)) == ["no file", "no pool"]
    assert [each.times for each in several] == [1, 1, 1]


def test_a_system_without_forks_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "register_at_fork")
    module = runpy.run_path(str(forks.__file__), run_name="oauth2_sansio.waiting.forks")
    module["remember"](Told())
