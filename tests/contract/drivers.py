"""Every driver there is, each behind the same few words.

A story is an `async def` that gets `run`, which drives a flow through the driver's one client and
returns its result. A blocking driver never waits in it, and so runs it without any loop.
"""

from __future__ import annotations

import asyncio
import importlib
import ssl
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol, TypeAlias

import trio

from oauth2_sansio import Flow, drive
from oauth2_sansio.command_line.over_urllib import UrllibSender
from oauth2_sansio.events import T
from oauth2_sansio_requests import OAuth2Session
from oauth2_sansio_trio import OAuth2Client

PATIENCE = 30.0
"""Seconds: the deadline of what is to end by itself, so that a slow machine fails nothing."""


SYSTEM = ssl.create_default_context()  # once, since reading all certificates takes long


class Run(Protocol):
    """Drives a flow over one client, and returns its result."""

    async def __call__(self, flow: Flow[T]) -> T:
        """Raise what the flow ends in."""
        ...


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
    ends_late_calls = False  # by ending their connection, whatever they are at

    @abstractmethod
    def tell(self, story: Story, *, deadline: float = PATIENCE, trust: Trust | None = None) -> None:
        """Run a story with one client, and close the client.

        deadline: how many seconds each request of the story may take as a whole.
        trust: for https; without it, the system's certificates count.
        """

    def __str__(self) -> str:
        return self.name


class OverUrllib(Driver):
    name = "urllib"
    parser = Parser.HTTP_CLIENT

    def tell(self, story: Story, *, deadline: float = PATIENCE, trust: Trust | None = None) -> None:
        context = SYSTEM if trust is None else trust.context
        sender = UrllibSender(deadline=deadline, context=context)

        async def run(flow: Flow[T]) -> T:
            return drive(flow, sender.send, time.sleep, time.time)

        finish(story(run))


class OverRequests(Driver):
    name = "requests"
    parser = Parser.HTTP_CLIENT

    def tell(self, story: Story, *, deadline: float = PATIENCE, trust: Trust | None = None) -> None:
        with OAuth2Session("app", deadline=deadline) as session:
            session.verify = True if trust is None else trust.path

            async def run(flow: Flow[T]) -> T:
                return session.run(flow)

            finish(story(run))


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
        with client_class("app", deadline=deadline, verify=verify) as client:

            async def run(flow: Flow[T]) -> T:
                result: T = client.run(flow)
                return result

            finish(story(run))


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
            async with client_class("app", deadline=deadline, verify=verify) as client:

                async def run(flow: Flow[T]) -> T:
                    result: T = await client.run(flow)
                    return result

                await story(run)

        self.loop.run(whole)


class OverTrio(Driver):
    name = "trio-h11"
    parser = Parser.H11
    loop = Loop.TRIO

    def tell(self, story: Story, *, deadline: float = PATIENCE, trust: Trust | None = None) -> None:
        verify = SYSTEM if trust is None else trust.context

        async def whole() -> None:
            async with OAuth2Client("app", deadline=deadline, verify=verify) as client:
                await story(client.run)

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
