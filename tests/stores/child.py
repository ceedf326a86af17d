"""What the tests let another process do: `python -m tests.stores.child ACTION KIND FOLDER SERVER KEY`.

It tells what it has done on its output, a line each, and waits where a line comes from its input.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from signal import SIGKILL
from time import sleep
from typing import NoReturn

from oauth2_sansio import StoreError
from oauth2_sansio.stores import TokenStore

from .kinds import Kind, Place, open_store

GOAL = 36


def say(word: object) -> None:
    """Tell the parent."""
    print(word, flush=True)


def hear() -> None:
    """Wait for the parent."""
    sys.stdin.readline()


def count_up(store: TokenStore, key: str) -> list[int]:
    """Add one to the number that is stored until it has reached the goal; return what was won."""
    won: list[int] = []
    while True:
        record = store.load(key)
        number, version = (int(record.content), record.version) if record else (0, 0)
        if number >= GOAL:
            return won
        if store.replace(key, str(number + 1).encode(), expected=version) is not None:
            won.append(number + 1)


def in_forks(count: int, work: Callable[[], object]) -> None:
    """Do work in that many forks of this process at once, and wait for them; they tell, too."""
    children: list[int] = []
    for _ in range(count):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                work()
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * count


def race(store: TokenStore, key: str) -> None:
    """Count up in twelve forks, with a store that was used before."""
    store.load(key)

    def run() -> None:
        won = "".join(f"{number}\n" for number in count_up(store, key))
        os.write(1, won.encode())  # at once: so that no two lines get mixed up

    in_forks(12, run)


def exclude(store: TokenStore, key: str) -> None:
    """Hold the lease in four forks; this fails where two of them hold it at the same time."""
    marker = Path(key)  # a path here

    def run() -> None:
        owner = str(os.getpid())
        for _ in range(5):
            while store.lease("lease", owner, 60) is not None:
                pass
            with marker.open("x"):
                pass
            marker.unlink()
            store.release("lease", owner)

    in_forks(4, run)
    say("done")


def lease(store: TokenStore, key: str) -> None:
    """Take the lease for a moment, and hold it until killed."""
    assert store.lease(key, "killed", 1.0) is None
    say("ready")
    hear()


def come_late(store: TokenStore, key: str) -> None:
    """Look at the record, sleep, and replace it."""
    record = store.load(key)
    assert record is not None
    say("ready")
    hear()
    say(store.replace(key, b"late", expected=record.version))


def write_and_die(store: TokenStore, key: str) -> None:
    """Kill forks that replace a record for ever, at another point each time."""
    version = store.replace(key, b"000000" * 20000, expected=0)
    for pause in (0.0, 0.001, 0.003, 0.01, 0.02, 0.05):
        child = os.fork()
        if child == 0:
            _write_on(store, key, version or 0)
        sleep(pause)
        os.kill(child, SIGKILL)
        os.waitpid(child, 0)
        version = None
        while version is None:  # what was sent before the end may arrive after it
            found = store.load(key)
            assert found is not None
            assert found.content == found.content[:6] * 20000
            version = store.replace(key, found.content, expected=found.version)
    say("whole")


def _write_on(store: TokenStore, key: str, version: int) -> NoReturn:
    for number in count(1):
        written = store.replace(key, b"%06d" % number * 20000, expected=version)
        assert written is not None
        version = written
    raise AssertionError


def fill_up(store: TokenStore, key: str) -> None:
    """Replace a record by what the disk has no room for, in a process that may write 8 KiB."""
    record = store.load(key)
    assert record is not None
    room = 8192 + (store_size(store) if "SQLite" in repr(store) else 0)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    try:
        store.replace(key, b"tOp-sEcret" * 5000, expected=record.version)
    except StoreError as error:
        say(type(error.cause).__name__)
        say(error)
    say(store.load(key) == record)


def store_size(store: TokenStore) -> int:
    """Return how long the file of a database is."""
    return Path(repr(store).split("'")[1]).stat().st_size


ACTIONS: dict[str, Callable[[TokenStore, str], None]] = {
    action.__name__: action for action in (race, exclude, lease, come_late, write_and_die, fill_up)
}

if __name__ == "__main__":
    name, kind, folder, server, its_key = sys.argv[1:]
    ACTIONS[name](open_store(Place(Kind[kind], folder, server)), its_key)
