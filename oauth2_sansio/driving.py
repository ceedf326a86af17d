"""The two loops that drive a flow. The I/O is whatever the caller passes in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import assert_never

from .errors import LocalProtocolError
from .events import (
    Event,
    Finished,
    RequestToSend,
    SignatureMade,
    SignatureNeeded,
    T,
    Wait,
    WaitElapsed,
)
from .flow import Flow


def drive(
    flow: Flow[T],
    send: Callable[[RequestToSend], Event],
    sleep: Callable[[float], object],
    now: Callable[[], float],
    sign: Callable[[SignatureNeeded], bytes] | None = None,
) -> T:
    """Run a flow to its end and return its result.

    send: sends a request and returns `ResponseReceived` or `RequestFailed`.
    sleep: sleeps for a number of seconds.
    now: returns the time in seconds since the epoch.
    sign: signs with a key outside this process; needed only where the client has such a key.
    Raises the `OAuth2Error` that the flow ends in, and whatever the four functions raise.
    """
    action = flow.start(now())
    while not isinstance(action, Finished):
        event: Event
        match action:
            case RequestToSend():
                event = send(action)
            case Wait():
                sleep(action.seconds)
                event = WaitElapsed()
            case SignatureNeeded():
                if sign is None:
                    raise no_signer(action)
                event = SignatureMade(sign(action))
            case _:
                assert_never(action)
        action = flow.receive(event, now())
    return action.result


async def drive_async(
    flow: Flow[T],
    send: Callable[[RequestToSend], Awaitable[Event]],
    sleep: Callable[[float], Awaitable[object]],
    now: Callable[[], float],
    sign: Callable[[SignatureNeeded], Awaitable[bytes]] | None = None,
) -> T:
    """Run a flow to its end and return its result: `drive`, with three awaits."""
    action = flow.start(now())
    while not isinstance(action, Finished):
        event: Event
        match action:
            case RequestToSend():
                event = await send(action)
            case Wait():
                await sleep(action.seconds)
                event = WaitElapsed()
            case SignatureNeeded():
                if sign is None:
                    raise no_signer(action)
                event = SignatureMade(await sign(action))
            case _:
                assert_never(action)
        action = flow.receive(event, now())
    return action.result


def no_signer(needed: SignatureNeeded) -> LocalProtocolError:
    """Return the error for a signature that nobody can make."""
    return LocalProtocolError(
        f"this flow needs a {needed.algorithm} signature, and no signer was given",
        advice="pass sign= to what drives it, or give the client a key that it holds itself",
    )
