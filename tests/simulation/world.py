"""A world that runs by a seed: time, processes and their tasks, and what goes wrong.

Nothing in here knows of OAuth. A task is a generator that yields what it waits for; the world
decides when that happens, whether it happens at all, and who dies meanwhile. One seed gives one
history, in every run and on every machine.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeAlias


class Violation(AssertionError):
    """A promise was broken."""


class Cancelled(BaseException):
    """Somebody has interrupted a task, as a KeyboardInterrupt or a cancellation does."""


@dataclass(frozen=True, slots=True)
class Call:
    """Something that is done elsewhere: by a store or by a server.

    perform: does it; runs at one point of time.
    lost: what the caller is told where the call, or its answer, is lost.
    """

    name: str
    perform: Callable[[], Any]
    lost: Callable[[bool], Any]
    slow: float = 0.3  # seconds; how long it takes at most
    delivered: Callable[[Any], None] = lambda _result: None


@dataclass(frozen=True, slots=True)
class Sleep:
    """A pause of so many seconds."""

    seconds: float


@dataclass(slots=True)
class Signal:
    """Something that tasks of one process wait for."""

    tasks: list[Task] = field(default_factory=list["Task"])


@dataclass(frozen=True, slots=True)
class Await:
    """Wait for a signal; the result says whether it came in time."""

    signal: Signal
    seconds: float


Operation: TypeAlias = Call | Sleep | Await
Work: TypeAlias = Generator[Operation, Any, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """How likely what goes wrong is, for each call; all from 0 to 1."""

    lost_call: float = 0.0  # it does not arrive
    lost_answer: float = 0.0  # it is done, and nobody is told
    delay: float = 0.0  # it takes nearly as long as it may
    crash: float = 0.0  # at each of three points: before, in between, afterwards
    cancel: float = 0.0  # of the task, at the same points
    pause: float = 0.0  # the whole process sleeps before the call
    jump: float = 0.0  # the clock of the process is set
    save: float = 0.0  # beyond `lost_call`, for what writes into the store
    server: float = 0.0  # the server answers with an error of its own


@dataclass(eq=False, slots=True)
class Task:
    """A generator, and the process that it runs in."""

    process: Process
    work: Work
    name: str
    waiting: int = 0  # counts what it has waited for, so that nothing wakes it twice
    ended: bool = False


class Process:
    """A process: it has a clock of its own, and everything that it knows dies with it."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.offset = 0.0
        self.life = 0
        self.paused_until = 0.0
        self.tasks: list[Task] = []

    def now(self) -> float:
        """Return the time by this process's clock."""
        return self.world.now + self.offset

    def boot(self) -> None:
        """Begin to live, also after a crash."""

    def __repr__(self) -> str:
        return f"{self.name}.{self.life}"


class World:
    """Runs tasks by a seed.

    trace: is told each thing that happens, to print a seed that fails.
    """

    def __init__(self, seed: int, rates: Rates, trace: Callable[[str], None] | None = None) -> None:
        self.random = random.Random(seed)
        self.rates = rates
        self.now = 1_700_000_000.0
        self.calm = False  # then nothing goes wrong any more
        self.disturbed = 0.0  # when a process was paused, or its clock set, for the last time
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._count = count()
        self._trace = trace

    def say(self, text: Callable[[], str]) -> None:
        """Note what happens, where somebody wants to know."""
        if self._trace is not None:
            self._trace(f"{self.now - 1_700_000_000:9.3f} {text()}")

    def at(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something in so many seconds."""
        heapq.heappush(self._queue, (self.now + seconds, next(self._count), act))

    def chance(self, rate: float) -> bool:
        """Draw whether something goes wrong."""
        return rate > 0 and not self.calm and self.random.random() < rate

    def start(self, process: Process, work: Work, name: str) -> None:
        """Let a task begin."""
        task = Task(process, work, name)
        process.tasks.append(task)
        self._deliver(task, task.waiting, None, 0.0)

    def run(self, until: float) -> None:
        """Let everything happen up to a point of time, or until nothing is left to happen."""
        while self._queue and self._queue[0][0] <= until:
            self.now, _, act = heapq.heappop(self._queue)
            act()
        self.now = max(self.now, until)

    def wake(self, signal: Signal) -> None:
        """Let all who wait for a signal go on."""
        tasks, signal.tasks = signal.tasks, []
        for task in tasks:
            self._deliver(task, task.waiting, True, self.random.random() * 0.01)

    def crash(self, process: Process) -> None:
        """Kill a process; it begins anew, and knows nothing."""
        self.say(lambda: f"{process!r} CRASHES")
        process.life += 1
        tasks, process.tasks = process.tasks, []
        for task in tasks:
            task.ended = True
            task.waiting += 1
            task.work.close()
        process.boot()

    def _resume(self, task: Task, value: Any, error: BaseException | None = None) -> None:
        try:
            operation = task.work.throw(error) if error is not None else task.work.send(value)
        except StopIteration:
            self._end(task)
            return
        except Cancelled:
            self.say(lambda: f"{task.process!r} {task.name} was cancelled")
            self._end(task)
            return
        task.waiting += 1
        match operation:
            case Sleep(seconds):
                self._deliver(task, task.waiting, None, seconds)
            case Await(signal, seconds):
                signal.tasks.append(task)
                self._deliver(task, task.waiting, False, seconds)
            case Call():
                self._call(task, operation)

    def _end(self, task: Task) -> None:
        task.ended = True
        if task in task.process.tasks:
            task.process.tasks.remove(task)

    def _call(self, task: Task, call: Call) -> None:
        process, rates = task.process, self.rates
        if self._struck(task):
            return
        if self.chance(rates.jump):
            process.offset += self.random.choice((-1, 1)) * self.random.random() ** 3 * 3600
            self.disturbed = self.now
            self.say(lambda: f"{process!r} CLOCK SET to {process.offset:+.0f}")
        if self.chance(rates.pause):
            process.paused_until = self.now + self.random.random() * 60
            self.disturbed = process.paused_until
            self.say(lambda: f"{process!r} PAUSES in {call.name}")
        writes = call.name in {"mark", "replace"}
        loses = self.chance(rates.lost_call) or (writes and self.chance(rates.save))
        pause = max(process.paused_until - self.now, 0.0)
        if loses:
            wait = self.random.choice((0.01, call.slow, 10.0))
            self.say(lambda: f"{process!r} {task.name} {call.name} LOST")
            self._deliver(task, task.waiting, call.lost(False), pause + wait)
            return
        slow = 9.0 if self.chance(rates.delay) else call.slow * self.random.random()
        waiting, life = task.waiting, process.life
        self.at(pause + slow / 2, lambda: self._perform(task, call, waiting, life, slow / 2))

    def _perform(self, task: Task, call: Call, waiting: int, life: int, rest: float) -> None:
        # What is on its way may arrive, also where its sender has died meanwhile.
        if life != task.process.life and self.random.random() < 0.5:
            return
        result = call.perform()
        self.say(lambda: f"{task.process!r} {task.name} {call.name}: {result!r}")
        if waiting != task.waiting or self._struck(task):
            return
        if self.chance(self.rates.lost_answer):
            self.say(lambda: f"{task.process!r} {task.name} {call.name}: ANSWER LOST")
            self._deliver(task, waiting, call.lost(True), self.random.choice((0.01, 9.0)))
            return
        self._deliver(task, waiting, result, rest, call.delivered)

    def _deliver(
        self,
        task: Task,
        waiting: int,
        result: Any,
        seconds: float,
        delivered: Callable[[Any], None] = lambda _result: None,
    ) -> None:
        def deliver() -> None:
            if waiting != task.waiting:
                return  # it has died, or was woken by something else
            pause = task.process.paused_until - self.now
            if pause > 0:
                self._deliver(task, waiting, result, pause, delivered)
            elif not self._struck(task):
                delivered(result)
                task.waiting += 1
                self._resume(task, result)

        self.at(seconds, deliver)

    def _struck(self, task: Task) -> bool:
        # Whether the process dies here, or the task is interrupted.
        if self.chance(self.rates.crash):
            self.crash(task.process)
            return True
        if self.chance(self.rates.cancel):
            task.waiting += 1
            self.say(lambda: f"{task.process!r} {task.name} CANCELLED")
            self._resume(task, None, Cancelled())
            return True
        return False
