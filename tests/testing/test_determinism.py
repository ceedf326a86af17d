from __future__ import annotations

from oauth2_sansio.testing import Clock, SeededBytes


def test_a_clock_moves_only_when_told() -> None:
    clock = Clock(100.0)
    assert (clock(), clock()) == (100.0, 100.0)
    clock.advance(2.5)
    assert clock() == 102.5
    clock.time = 7.0
    assert clock() == 7.0
    assert repr(clock) == "Clock(7.0)"


def test_bytes_follow_from_the_seed() -> None:
    one, same, different = SeededBytes(1), SeededBytes(1), SeededBytes(2)
    first = one(32)
    assert first == same(32)
    assert first != different(32)
    assert one(32) not in (first, different(32))


def test_bytes_are_as_many_as_asked_for() -> None:
    sizes = (0, 1, 31, 32, 33, 100)
    assert tuple(len(SeededBytes()(size)) for size in sizes) == sizes
    assert SeededBytes()(100)[:32] != SeededBytes()(100)[32:64]
