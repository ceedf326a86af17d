"""What a thread or task is at, so that whatever it calls meanwhile does not wait for itself."""

from __future__ import annotations

import contextvars
from typing import Self

from ..errors import LocalProtocolError, Outcome, TransportError
from ..events import Endpoint
from ..keeper import TokenKeeper
from ..tokens import OAuth2Token


class UnderWay:
    """Mark, for a `with` block, that this thread or task is at a keeper's ticket.

    token: the new token while it is being saved; None while it is being fetched.
    """

    __slots__ = ("_before", "keeper", "ticket", "token")

    def __init__(self, keeper: TokenKeeper, ticket: int, token: OAuth2Token | None = None) -> None:
        self.keeper = keeper
        self.ticket = ticket
        self.token = token
        self._before: contextvars.Token[tuple[UnderWay, ...]]

    def __enter__(self) -> Self:
        self._before = _marks.set((*_marks.get(), self))
        return self

    def __exit__(self, *_exception: object) -> None:
        try:
            _marks.reset(self._before)
        except ValueError:
            return  # a task whose loop was closed is thrown away in another context, without marks


_marks: contextvars.ContextVar[tuple[UnderWay, ...]] = contextvars.ContextVar(
    "oauth2_sansio_under_way", default=()
)


def is_own(keeper: TokenKeeper, ticket: int) -> bool:
    """Say whether the caller itself is at a ticket."""
    return any(mark.keeper is keeper and mark.ticket == ticket for mark in _marks.get())


def own_token(keeper: TokenKeeper, ticket: int) -> OAuth2Token | None:
    """Return the token that the caller itself is saving; None where somebody else is at the ticket.

    Raises `LocalProtocolError` where the caller itself is fetching it.
    """
    for mark in _marks.get():
        if mark.keeper is keeper and mark.ticket == ticket:
            if mark.token is None:
                raise LocalProtocolError(
                    "the renewal of a token asks for this very token",
                    endpoint=Endpoint.TOKEN,
                    advice="send token requests, and those of hooks, without this token",
                )
            return mark.token
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
