"""Signatures by keys that are elsewhere, made by a function of the user."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from functools import partial
from typing import NoReturn, TypeAlias

from ..driving import drive, drive_async, no_signer
from ..errors import LocalProtocolError, OAuth2Error, Outcome, TransportError
from ..events import SignatureNeeded, T
from ..flow import Flow

Sign: TypeAlias = Callable[[SignatureNeeded], bytes | Awaitable[bytes]]
"""Gets what to sign; returns the bytes of the signature, or what is to be awaited for them."""


def signature(sign: Sign | None, needed: SignatureNeeded) -> bytes:
    """Return the signature that a function makes at once.

    Raises `LocalProtocolError` where there is no function, or one that has to be awaited, and
    `TransportError`, from what the function has raised, where it fails.
    """
    if sign is None:
        raise no_signer(needed)
    try:
        made = sign(needed)
    except OAuth2Error:
        raise
    except Exception as error:
        raise _not_signed(error) from error
    if inspect.isawaitable(made):
        if inspect.iscoroutine(made):
            made.close()
        raise LocalProtocolError(
            "sign= has to be awaited, and nothing can await it here",
            advice="let it return bytes; or, of an asynchronous client, await "
            "sign_authorization_request, which takes and returns the same",
        )
    return made


async def signature_async(sign: Sign | None, needed: SignatureNeeded) -> bytes:
    """Return the signature that a function makes, at once or once it is awaited.

    Raises what `signature` raises, but for what has to be awaited.
    """
    if sign is None:
        raise no_signer(needed)
    try:
        made = sign(needed)
        made = await made if inspect.isawaitable(made) else made
    except OAuth2Error:
        raise
    except Exception as error:
        raise _not_signed(error) from error
    return made


def finish(flow: Flow[T], now: Callable[[], float], sign: Sign | None) -> T:
    """Run a flow that sends nothing to its end, and return its result.

    now: returns the time in seconds since the epoch.
    sign: signs where a key is elsewhere.
    Raises what the flow and `signature` raise.
    """
    return drive(flow, _beyond_signing, _beyond_signing, now, partial(signature, sign))


async def finish_async(flow: Flow[T], now: Callable[[], float], sign: Sign | None) -> T:
    """Do the same, and await the signature where it has to be."""
    made = partial(signature_async, sign)
    return await drive_async(flow, _beyond_signing, _beyond_signing, now, made)


def _beyond_signing(_action: object) -> NoReturn:
    raise LocalProtocolError("this flow does more than signing")


def _not_signed(error: Exception) -> TransportError:
    return TransportError(
        f"sign= has failed: {type(error).__name__}",
        outcome=Outcome.NOT_SENT,
        cause=error,
        advice="nothing was sent: see what sign= has raised, and try again",
    )
