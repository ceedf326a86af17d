"""What a `TokenKeeper` tells a caller to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from .flow import Flow
from .tokens import OAuth2Token


@dataclass(frozen=True, slots=True)
class UseToken:
    """The token is good: use it."""

    token: OAuth2Token


@dataclass(frozen=True, slots=True)
class RefreshIt:
    """You are first: drive `flow`, save what comes, then settle the ticket, come what may.

    previous: the token that was saved last, or empty; with the refresh token of a caller's own.
    """

    ticket: int
    flow: Flow[OAuth2Token]
    previous: OAuth2Token


@dataclass(frozen=True, slots=True)
class AwaitRefresh:
    """Somebody is at it: wait until the ticket is settled, then ask again."""

    ticket: int


@dataclass(frozen=True, slots=True)
class SaveIt:
    """The token is good, but was not saved: save it, then settle the ticket with it.

    previous: the token that was saved last; it is empty where there was none.
    """

    ticket: int
    token: OAuth2Token
    previous: OAuth2Token


Decision: TypeAlias = UseToken | RefreshIt | AwaitRefresh | SaveIt
