"""Ask a hostile server for something, and look at all that comes of it."""

from __future__ import annotations

import contextvars
import logging
import ssl
import threading
import time
import tracemalloc
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from oauth2_sansio import Finished, RequestToSend
from oauth2_sansio.events import Event

from .credentials import printed
from .drivers import PATIENCE, Driver, Run, Trust
from .operations import Operation
from .raw_server import HONEST, RawServer, scripted
from .row import Outcome, Row
from .scripts import End, Flood, Script, named
from .spying import watched

SOON = 1.0  # seconds: the deadline where nothing else ends a request
NOW = 1_800_000_000.0  # seconds since the epoch, where no clock is asked
_HEAVY = 262_144  # bytes: how long an answer is whose memory is measured
_TO_END = 10.0  # seconds: how long a run is waited for once its server has gone
_ELSEWHERE = Script((HONEST,))
_PORTS_OF_NOBODY = (11_111, 22_222)


class Way(Enum):
    """How something is asked for."""

    RUN = "run"  # a flow
    DROP_IN = "drop-in"  # a method of the drop-in vocabulary, which the peers have too


@dataclass(slots=True)
class Seen:
    """What came of one row.

    began: when, in seconds since the epoch.
    printed: the error with its whole chain, and the `repr` of what there was.
    hung: the run had to be ended.
    asked: how many requests the server got; `elsewhere`, how many the other origin.
    following: the access token that the next request got, or the error.
    peak: bytes above what there was before, where they were measured.
    """

    began: float = NOW
    result: Any = None
    error: Exception | None = None
    events: list[Event] = field(default_factory=list)
    printed: str = ""
    logged: list[str] = field(default_factory=list)
    hung: bool = False
    asked: int = 1
    elsewhere: int = 0
    following: object = None
    peak: int | None = None


_logged: contextvars.ContextVar[list[str] | None] = contextvars.ContextVar("logged", default=None)


class _Listening(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        lines = _logged.get()
        if lines is not None:
            lines.append(self.format(record))


@contextmanager
def listening() -> Generator[None, None, None]:
    """Take down what is logged at DEBUG, each run for itself, and hand it to nobody else."""
    root = logging.getLogger()
    before = root.level, root.handlers
    root.handlers = [_Listening()]
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.level, root.handlers = before


def is_heavy(row: Row) -> bool:
    """Say whether the memory of a row is worth measuring: alone, since it is the process's."""
    compressed = row.answer is None and any(
        isinstance(part, bytes) and b"Content-Encoding" in part for part in row.script.parts
    )
    return compressed or any(
        isinstance(part, Flood) or (isinstance(part, bytes) and len(part) > _HEAVY)
        for part in row.script.parts
    )


def observe(
    driver: Driver,
    row: Row,
    way: Way,
    *,
    patience: float = PATIENCE,
    ssl_context: ssl.SSLContext | None = None,
    trust: Trust | None = None,
    prepare: Callable[[Any], object] = bool,
) -> Seen:
    """Run one row with one driver.

    patience: seconds beyond the deadline, after which the server goes and the run counts as hung.
    prepare: gets the client before it is used.
    """
    expected = row.outcome_for(driver)
    late = Outcome.LATE in (row.outcome, expected)
    deadline = SOON if late else PATIENCE
    seen = Seen(began=time.time())
    with (
        scripted(_ELSEWHERE) as elsewhere,
        scripted(row.script, ssl_context=ssl_context, elsewhere=_port(elsewhere)) as server,
    ):

        async def story(run: Run) -> None:
            prepare(run.client)
            await _ask(run, row.operation, way, server.url, seen)
            seen.asked = len(server.requests)
            if row.script.end is End.CLOSE and not late:
                # No pool can know of an end that is still on its way.
                server.ended.wait(1)
            await _ask_again(run, way, server.url, seen)

        def tell() -> None:
            _logged.set(seen.logged)
            driver.tell(story, deadline=deadline, trust=trust)

        context = contextvars.copy_context()
        failed: list[BaseException] = []

        def whole() -> None:
            try:
                context.run(tell)
            except BaseException as error:  # noqa: BLE001 - it is raised in the caller's thread
                failed.append(error)

        thread = threading.Thread(target=whole, daemon=True)
        with _measuring(seen, heavy=is_heavy(row)):
            thread.start()
            thread.join(deadline + patience)
        seen.hung = thread.is_alive()
    thread.join(_TO_END)
    seen.elsewhere = len(elsewhere.requests)
    if failed and not seen.hung:
        if driver.is_ours or not isinstance(failed[0], Exception):
            raise failed[0]
        seen.error = failed[0]
    return seen


def observe_core(row: Row) -> Seen:
    """Run a row whose answer is whole through the core alone."""
    assert row.answer is not None
    here, elsewhere = _PORTS_OF_NOBODY
    body = named(row.answer.body, here, elsewhere)
    answer = type(row.answer)(status=row.answer.status, headers=row.answer.headers, body=body)
    seen = Seen(following="honest")
    flow = row.operation.flow(f"http://127.0.0.1:{here}/token")
    with _measuring(seen, heavy=is_heavy(row)):
        try:
            action = watched(flow, seen.events).start(NOW)
            while isinstance(action, RequestToSend):
                assert f":{here}/" in action.url
                action = flow.receive(answer, NOW)
            assert isinstance(action, Finished), action
            seen.result = action.result
        except Exception as error:  # noqa: BLE001 - what it may be is for the table to say
            seen.error = error
    _print(seen, answer)
    return seen


async def _ask(run: Run, operation: Operation, way: Way, url: str, seen: Seen) -> None:
    try:
        if way is Way.RUN:
            seen.result = await run(watched(operation.flow(url), seen.events))
        else:
            name, arguments = operation.call()
            seen.result = await run.call(name, url, **arguments)
    except Exception as error:  # noqa: BLE001 - what it may be is for the table to say
        seen.error = error
    _print(seen, run, *seen.events)


async def _ask_again(run: Run, way: Way, url: str, seen: Seen) -> None:
    # Whatever it was, the next request gets its own answer.
    try:
        if way is Way.RUN:
            token = await run(Operation.REDEEM.flow(url))
        else:
            name, arguments = Operation.REDEEM.call()
            token = await run.call(name, url, **arguments)
        seen.following = token["access_token"]
    except Exception as error:  # noqa: BLE001 - what it may be is for the table to say
        seen.following = error


def _print(seen: Seen, *others: object) -> None:
    texts = [f"{each!r} {each}" for each in others]
    if seen.error is not None:
        texts.append(printed(seen.error))
    elif type(seen.result).__module__.startswith("oauth2_sansio"):
        texts.append(f"{seen.result!r} {seen.result}")  # the peers' tokens are dicts that print all
    seen.printed = "\n".join(texts)


@contextmanager
def _measuring(seen: Seen, *, heavy: bool) -> Generator[None, None, None]:
    if not heavy:
        yield
        return
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        yield
        seen.peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def _port(server: RawServer) -> int:
    return int(server.url.rpartition(":")[2].partition("/")[0])
