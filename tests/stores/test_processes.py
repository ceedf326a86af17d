"""Threads and processes that share a store: they race, they fork, they are killed."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP

import pytest

from oauth2_sansio.stores import TokenStore

from .child import GOAL, count_up
from .kinds import SHARED, Kind, Place, open_store

ROOT = Path(__file__).parents[2]
Places = Callable[[Kind], Place]
over_what_is_shared = pytest.mark.parametrize("kind", SHARED, ids=lambda kind: kind.name)


@contextmanager
def child(action: str, place: Place, key: str) -> Generator[subprocess.Popen[str]]:
    """Run another process up to where it is ready; it is killed in the end."""
    arguments = (action, place.kind.name, place.folder, place.server, key)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.stores.child", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"


def rest_of(process: subprocess.Popen[str]) -> list[str]:
    out, _ = process.communicate("go\n")
    assert process.returncode == 0
    return out.split()


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.name)
def test_of_all_threads_one_wins_each_version(store: TokenStore, key: str) -> None:
    won: list[int] = []
    threads = [threading.Thread(target=lambda: won.extend(count_up(store, key))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == list(range(1, GOAL + 1))


@over_what_is_shared
def test_of_twelve_processes_one_wins_each_version(kind: Kind, place: Places, key: str) -> None:
    """They are forks that share one object."""
    with child("race", place(kind), key) as process:
        assert sorted(map(int, rest_of(process))) == list(range(1, GOAL + 1))


@over_what_is_shared
def test_one_process_at_a_time_has_the_lease(kind: Kind, place: Places, tmp_path: Path) -> None:
    with child("exclude", place(kind), str(tmp_path / "marker")) as process:
        assert rest_of(process) == ["done"]


@over_what_is_shared
def test_who_is_killed_with_a_lease_blocks_nobody_for_longer(
    kind: Kind, place: Places, key: str
) -> None:
    where = place(kind)
    with child("lease", where, key) as process:
        wait_for(process)
        process.send_signal(SIGKILL)
        process.wait()
    store = open_store(where)
    while (remaining := store.lease(key, "next", 60)) is not None:
        assert remaining <= 1.0
    store.close()


@over_what_is_shared
def test_who_wakes_late_overwrites_nothing(kind: Kind, place: Places, key: str) -> None:
    where = place(kind)
    store = open_store(where)
    version = store.replace(key, b"old", expected=0)
    assert version is not None
    with child("come_late", where, key) as process:
        wait_for(process)
        process.send_signal(SIGSTOP)
        assert store.replace(key, b"new", expected=version) is not None
        process.send_signal(SIGCONT)
        assert rest_of(process) == ["None"]
    found = store.load(key)
    assert found is not None
    assert found.content == b"new"
    store.close()


@over_what_is_shared
def test_who_is_killed_while_writing_leaves_a_whole_record(
    kind: Kind, place: Places, key: str
) -> None:
    with child("write_and_die", place(kind), key) as process:
        assert rest_of(process) == ["whole"]


@pytest.mark.parametrize(
    "kind", [Kind.FILE, Kind.SQLITE, Kind.FILE_TRIO], ids=lambda kind: kind.name
)
def test_a_full_disk_is_told_and_nothing_is_lost(kind: Kind, place: Places, key: str) -> None:
    where = place(kind)
    store = open_store(where)
    version = store.replace(key, b"old", expected=0)
    assert version is not None
    with child("fill_up", where, key) as process:
        out, _ = process.communicate()
    cause, text, same = out.splitlines()
    assert cause in ("OSError", "OperationalError")
    assert text.startswith("store_error: ")
    assert "tOp" not in text
    assert same == "True"
    assert store.replace(key, b"new", expected=version) is not None
    left = [path.name for path in Path(where.folder).rglob("*") if path.suffix == ".new"]
    assert left == []
