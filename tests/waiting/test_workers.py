from __future__ import annotations

import os
import runpy
import threading
from collections.abc import Callable

import pytest

from oauth2_sansio.waiting import workers
from oauth2_sansio.waiting.workers import NAME, in_worker

LONG = 60.0  # seconds after which a test that hangs fails


@pytest.fixture(autouse=True)
def idle(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Begin without the workers of other tests."""
    idle = list[object]()
    monkeypatch.setattr(workers, "_idle", idle)
    return idle


def do(job: Callable[[], object] = lambda: None) -> threading.Thread:
    """Do a job, and return the thread that did it."""
    threads, done = list[threading.Thread](), threading.Event()

    def seen() -> None:
        thread = threading.current_thread()
        assert thread.name == NAME
        threads.append(thread)
        job()

    in_worker(seen, done.set)
    assert done.wait(LONG)
    return threads[0]


def test_one_thread_does_one_job_after_the_other() -> None:
    first = do()
    assert first is not threading.current_thread()
    assert first.daemon
    assert [do() for _ in range(20)] == [first] * 20


def test_a_thread_without_a_job_is_called_something_else() -> None:
    assert do().name != NAME


def test_jobs_at_the_same_time_have_threads_of_their_own() -> None:
    both = threading.Barrier(2)
    done, threads = threading.Semaphore(0), set[threading.Thread]()

    def job() -> None:
        threads.add(threading.current_thread())
        both.wait(LONG)

    for _ in range(2):
        in_worker(job, done.release)
    for _ in range(2):
        assert done.acquire(timeout=LONG)
    assert len(threads) == 2


def test_a_thread_that_has_waited_long_enough_ends(
    monkeypatch: pytest.MonkeyPatch, idle: list[object]
) -> None:
    monkeypatch.setattr(workers, "_IDLE", 0.001)
    first = do()
    first.join(LONG)
    assert not first.is_alive()
    assert idle == []
    assert do() is not first


def test_a_thread_that_is_taken_while_it_gives_up_does_the_job(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken, about_to_end = threading.Event(), threading.Event()

    class Idle(list[object]):
        def remove(self, value: object) -> None:
            about_to_end.set()
            assert taken.wait(LONG)
            super().remove(value)

        def pop(self, *_: object) -> object:
            worker = super().pop()
            taken.set()
            return worker

    monkeypatch.setattr(workers, "_IDLE", 0.001)
    monkeypatch.setattr(workers, "_idle", Idle())
    first = do()
    assert about_to_end.wait(LONG)
    assert do() is first


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_process_has_no_worker_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    do()
    child = os.fork()
    if child == 0:
        # In here nothing may fail as a test does: this is a second pytest.
        done = threading.Event()
        in_worker(lambda: None, done.set)
        os._exit(0 if done.wait(LONG) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_system_without_forks_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "register_at_fork")
    module = runpy.run_path(str(workers.__file__), run_name="oauth2_sansio.waiting.workers")
    assert module["NAME"] == NAME
