"""What a thread or task is at, so that whatever it calls meanwhile does not wait for itself."""

from __future__ import annotations

import contextvars
from contextlib import suppress
from typing import TypeAlias

from ..errors import LocalProtocolError, Outcome, TransportError
from ..events import Endpoint
from ..keeper import TokenKeeper
from ..tokens import OAuth2Token

_Marks: TypeAlias = tuple[tuple[TokenKeeper, int, OAuth2Token | None], ...]

_marks: contextvars.ContextVar[_Marks] = contextvars.ContextVar(
    "oauth2_sansio_under_way", default=()
)


class UnderWay:
    """Mark, for a `with` block, that this thread or task is at a keeper's ticket.

    token: the new token while it is being saved; None while it is being fetched.
    """

    __slots__ = ("_before", "_mark")

    def __init__(self, keeper: TokenKeeper, ticket: int, token: OAuth2Token | None) -> None:
        self._mark = (keeper, ticket, token)
        self._before: contextvars.Token[_Marks]

    def __enter__(self) -> None:
        self._before = _marks.set((*_marks.get(), self._mark))

    def __exit__(self, *_exception: object) -> None:
        # A task whose loop was closed is thrown away in another context, which has no mark.
        with suppress(ValueError):
            _marks.reset(self._before)


def is_own(keeper: TokenKeeper, ticket: int) -> bool:
    """Say whether the caller itself is at a ticket."""
    return any(mark[0] is keeper and mark[1] == ticket for mark in _marks.get())


def own_token(keeper: TokenKeeper, ticket: int) -> OAuth2Token | None:
    """Return the token that the caller itself is saving; None where somebody else is at the ticket.

    Raises `LocalProtocolError` where the caller itself is fetching it.
    """
    for marked, number, token in _marks.get():
        if marked is keeper and number == ticket:
            if token is None:
                raise LocalProtocolError(
                    "the renewal of a token asks for this very token",
                    endpoint=Endpoint.TOKEN,
                    advice="send token requests, and those of hooks, without this token",
                )
            return token
    return None


def too_late(seconds: float, whose: str) -> TransportError:
    """Return the error for a caller that has waited for so many seconds.

    whose: the renewal that it has waited for, in words.
    """
    return TransportError(
        f"{whose} renewal has not ended within {seconds:g} seconds",
        outcome=Outcome.NOT_SENT,
        endpoint=Endpoint.TOKEN,
        advice="try again",
    )


def interrupted() -> TransportError:
    """Return the error for a renewal that was cut off after its request may have gone out."""
    return TransportError(
        "the renewal was interrupted",
        outcome=Outcome.UNKNOWN,
        endpoint=Endpoint.TOKEN,
        advice="the server may have acted: try once more, or authorize again",
    )


def left_to_the_parent() -> TransportError:
    """Return the error for a renewal that was under way when this process was forked."""
    return TransportError(
        "this token is being renewed by the process that this one was forked from",
        outcome=Outcome.NOT_SENT,
        endpoint=Endpoint.TOKEN,
        advice="give processes that share a token a store (store=), or assign the new token here",
    )
