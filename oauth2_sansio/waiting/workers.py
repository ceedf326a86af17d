"""Threads for exchanges, which serve one after the other while there is work."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

NAME = "oauth2_sansio"
"""What a thread is called that does a job."""

_IDLE_NAME = "oauth2_sansio, idle"
_IDLE = 2.0  # seconds: how long a thread without work waits for more


class _Worker:
    """A thread that does a job, and the next one if that comes soon."""

    __slots__ = ("_has_job", "_job")

    def __init__(self, job: Callable[[], object], done: Callable[[], object]) -> None:
        self._job: tuple[Callable[[], object], Callable[[], object]] | None = (job, done)
        self._has_job = threading.Lock()
        self._has_job.acquire()
        threading.Thread(target=self._work, daemon=True).start()

    def take(self, job: Callable[[], object], done: Callable[[], object]) -> None:
        """Do this job next; for one who has taken this worker out of the idle ones."""
        self._job = (job, done)
        self._has_job.release()

    def _work(self) -> None:
        thread = threading.current_thread()
        while self._job is not None:
            thread.name = NAME
            job, done = self._job
            self._job = None
            job()
            thread.name = _IDLE_NAME
            _idle.append(self)  # first, so that who is told finds it here
            done()
            del job, done  # what they refer to is let go now
            if self._has_job.acquire(timeout=_IDLE):
                continue
            try:
                _idle.remove(self)
            except ValueError:  # it was taken in this very moment, and the job is about to come
                self._has_job.acquire()


# Each call on it is one step that no other thread can divide.
_idle: list[_Worker] = []


def in_worker(job: Callable[[], object], done: Callable[[], object]) -> None:
    """Do a job in another thread, and do not wait for it.

    job: must not raise.
    done: is called afterwards, once the thread is free for the next job.
    """
    try:
        worker = _idle.pop()
    except IndexError:
        _Worker(job, done)
    else:
        worker.take(job, done)


# A process that was forked has none of its parent's threads.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)
