"""Which loop a task runs in, with every version of trio that is supported."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

import pytest
import trio

from oauth2_sansio.waiting.loop_of_asyncio import AsyncioLoop
from oauth2_sansio.waiting.loop_of_trio import TrioLoop, runs_here
from oauth2_sansio.waiting.tasks import EventLoop, current_loop


async def ask() -> EventLoop:
    loop = current_loop()
    assert loop.is_current()
    assert not loop.has_ended()
    return loop


def test_under_trio() -> None:
    loop = trio.run(ask)
    assert isinstance(loop, TrioLoop)
    assert not loop.is_current()
    assert loop.has_ended()


@pytest.mark.parametrize("trio_is_loaded", [True, False])
def test_under_asyncio(trio_is_loaded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not trio_is_loaded:
        monkeypatch.delitem(sys.modules, "trio")
    loop = asyncio.run(ask())
    assert isinstance(loop, AsyncioLoop)
    assert not loop.is_current()
    assert loop.has_ended()


def test_another_run_is_not_the_current_one() -> None:
    first = trio.run(ask)

    async def look() -> bool:
        return first.is_current()

    assert not trio.run(look)


@pytest.mark.parametrize("run", [lambda main: asyncio.run(main()), trio.run])
def test_a_timeout_of_the_call_itself_passes(run: Callable[..., object]) -> None:
    async def fail() -> None:
        raise TimeoutError("its own")

    async def main() -> None:
        with pytest.raises(TimeoutError, match="its own"):
            await current_loop().within(60.0, fail, lambda: AssertionError("late"))
        assert not current_loop().is_of_another(ValueError())

    run(main)


def test_outside_of_any_loop() -> None:
    assert not runs_here()
    with pytest.raises(RuntimeError, match="no running event loop"):
        current_loop()
