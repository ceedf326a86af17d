"""Every driver there is, each behind the same few words.

A story is an `async def` that gets `run`, which drives a flow through the driver's one client and
returns its result, or calls that client's own methods. A blocking driver never waits in it, and so
runs it without any loop.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import ssl
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

import trio

from oauth2_sansio import Flow, OAuth2Error, drive
from oauth2_sansio.command_line.over_urllib import UrllibSender
from oauth2_sansio.events import T
from oauth2_sansio_requests import OAuth2Session
from oauth2_sansio_trio import OAuth2Client

from .credentials import CLIENT_ID, CLIENT_SECRET

PATIENCE = 30.0
"""Seconds: the deadline of what is to end by itself, so that a slow machine fails nothing."""


SYSTEM = ssl.create_default_context()  # once, since reading all certificates takes long


class Run:
    """Drive flows over one client, and call the client itself.

    drive: runs a flow to its end, or returns what has to be awaited for that.
    client: of the drop-in vocabulary; None where there is none.
    """

    def __init__(self, drive: Callable[[Flow[Any]], Any], client: Any = None) -> None:
        self._drive = drive
        self.client = client

    async def __call__(self, flow: Flow[T]) -> T:
        """Return the flow's result, or raise what it ends in."""
        result: T = await _awaited(self._drive(flow))
        return result

    async def call(self, name: str, *arguments: Any, **named: Any) -> Any:
        """Return what a method of the client returns, or raise what it raises."""
        return await _awaited(getattr(self.client, name)(*arguments, **named))


async def _awaited(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


Story: TypeAlias = Callable[[Run], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class Trust:
    """Whose certificates a client takes.

    context: of `ssl`.
    path: of the same authority's certificate, for libraries that want a file.
    """

    context: ssl.SSLContext
    path: str


class Parser(Enum):
    """What reads HTTP/1.1 below a driver, for where two of them differ."""

    HTTP_CLIENT = "http.client"
    H11 = "h11"


class Loop(Enum):
    """What runs tasks."""

    ASYNCIO = "asyncio"
    TRIO = "trio"

    def run(self, whole: Callable[[], Coroutine[Any, Any, None]]) -> None:
        match self:
            case Loop.ASYNCIO:
                asyncio.run(whole())
            case Loop.TRIO:
                trio.run(whole)

    async def cancel(self, when: threading.Event, call: Callable[[], Awaitable[object]]) -> bool:
        """Make a call, cancel it when it is time, and return whether it has let this pass."""
        match self:
            case Loop.ASYNCIO:
                task = asyncio.ensure_future(call())
                await self.in_thread(when.wait)
                task.cancel()
                await asyncio.wait((task,))
                return task.cancelled()
            case Loop.TRIO:
                with trio.CancelScope() as scope:
                    async with trio.open_nursery() as nursery:

                        async def watch() -> None:
                            await self.in_thread(when.wait)
                            scope.cancel()

                        nursery.start_soon(watch)
                        await call()
                return scope.cancelled_caught

    async def in_thread(self, call: Callable[[], bool]) -> bool:
        """Return what a call that blocks returns, without blocking the loop."""
        match self:
            case Loop.ASYNCIO:
                return await asyncio.to_thread(call)
            case Loop.TRIO:
                return await trio.to_thread.run_sync(call)


class Driver(ABC):
    """One driver. `name` is the one that the tests show."""

    name: str
    parser: Parser
    loop: Loop | None = None  # what its stories run in; a blocking one needs none
    family: tuple[type[Exception], ...] = (OAuth2Error,)  # what its users have to expect
    has_drop_in = True
    is_ours = True
    ends_late_calls = False  # by ending their connection, whatever they are at

    @abstractmethod
    def tell(self, story: Story, *, deadline: float = PATIENCE, trust: Trust | None = None) -> None:
        """Run a story with one client, and close the client.

        deadline: how many seconds each request of the story may take as a whole.
        trust: for https; without it, the system's certificates count.
        """

    @property
    def like(self) -> str:
        """The driver that has the same HTTP library: its own name, but for a peer."""
        return self.name

    def __str__(self) -> str:
        return self.name


class OverUrllib(Driver):
    name = "urllib"
    parser = Parser.HTTP_CLIENT
    has_drop_in = False

    def tell(self, story: Story, *, deadline: float = PATIENCE, trust: Trust | None = None) -> None:
        context = SYSTEM if trust is None else trust.context
        sender = UrllibSender(deadline=deadline, context=context)
        finish(story(Run(lambda flow: drive(flow, sender.send, time.sleep, time.time))))


class OverRequests(Driver):
    name = "requests"
    parser = Parser.HTTP_CLIENT

    def tell(self, story: Story, *, deadline: float = PATIENCE, trust: Trust | None = None) -> None:
        with OAuth2Session(CLIENT_ID, CLIENT_SECRET, deadline=deadline) as session:
            session.verify = True if trust is None else trust.path
            finish(story(Run(session.run, session)))


class OverHttpx(Driver):
    """The blocking client of httpx, or of a library of its shape."""

    parser = Parser.H11
    ends_late_calls = True

    def __init__(self, library: str) -> None:
        self.name = f"{library}-sync"
        self._adapter = f"oauth2_sansio_{library}"

    def tell(self, story: Story, *, deadline: float = PATIENCE, trust: Trust | None = None) -> None:
        client_class: Any = importlib.import_module(self._adapter).OAuth2Client
        verify = SYSTEM if trust is None else trust.context
        with client_class(CLIENT_ID, CLIENT_SECRET, deadline=deadline, verify=verify) as client:
            finish(story(Run(client.run, client)))


class OverAsyncHttpx(Driver):
    """The asynchronous client of the same, in one kind of event loop."""

    parser = Parser.H11
    loop: Loop

    def __init__(self, library: str, loop: Loop) -> None:
        self.name = f"{library}-{loop.value}"
        self._adapter = f"oauth2_sansio_{library}"
        self.loop = loop

    def tell(self, story: Story, *, deadline: float = PATIENCE, trust: Trust | None = None) -> None:
        client_class: Any = importlib.import_module(self._adapter).AsyncOAuth2Client
        verify = SYSTEM if trust is None else trust.context

        async def whole() -> None:
            async with client_class(
                CLIENT_ID, CLIENT_SECRET, deadline=deadline, verify=verify
            ) as client:
                await story(Run(client.run, client))

        self.loop.run(whole)


class OverTrio(Driver):
    name = "trio-h11"
    parser = Parser.H11
    loop = Loop.TRIO

    def tell(self, story: Story, *, deadline: float = PATIENCE, trust: Trust | None = None) -> None:
        verify = SYSTEM if trust is None else trust.context

        async def whole() -> None:
            async with OAuth2Client(
                CLIENT_ID, CLIENT_SECRET, deadline=deadline, verify=verify
            ) as client:
                await story(Run(client.run, client))

        self.loop.run(whole)


def finish(story: Coroutine[Any, Any, None]) -> None:
    """Run a story that never waits."""
    try:
        story.send(None)
    except StopIteration:
        return
    story.close()
    raise AssertionError("a blocking driver has waited")


DRIVERS: tuple[Driver, ...] = (
    OverUrllib(),
    OverRequests(),
    OverHttpx("httpx"),
    OverAsyncHttpx("httpx", Loop.ASYNCIO),
    OverAsyncHttpx("httpx", Loop.TRIO),
    OverHttpx("httpx2"),
    OverAsyncHttpx("httpx2", Loop.ASYNCIO),
    OverAsyncHttpx("httpx2", Loop.TRIO),
    OverTrio(),
)
