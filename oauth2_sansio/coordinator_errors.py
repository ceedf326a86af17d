"""What goes wrong between a coordinator and its store.

A store that fails is a `StoreError`, a record that cannot be used is one of its kinds
(`token_record.py`), a token that could not be saved is an `UnsavedTokenError`.
"""

from __future__ import annotations

from .errors import (
    ErrorResponse,
    LocalProtocolError,
    OAuth2Error,
    Outcome,
    StoreError,
    TransportError,
)
from .events import Endpoint
from .token_record import DeadRefreshToken


class RefreshPausedError(OAuth2Error):
    """The last refresh has failed a moment ago. `retry_after` says when the next one may begin."""

    default_error = "refresh_paused"

    def __init__(self, retry_after: float, last: str) -> None:
        super().__init__(
            None,
            f"the last refresh has failed ({last})",
            endpoint=Endpoint.TOKEN,
            outcome=Outcome.NOT_SENT,
            retry_after=retry_after,
            advice=f"try again in {retry_after:.0f} seconds, when the next one may begin",
        )


def store_failed(cause: Exception, what: str) -> StoreError:
    """Return the error for a store that has raised while doing something: nothing was sent."""
    if isinstance(cause, StoreError):
        error = cause  # the store's own words say more
    else:  # the text of another exception may quote a password: its type alone is shown
        error = store_error(f"{what} has failed: {type(cause).__name__}", cause)
    error.outcome = Outcome.NOT_SENT
    return error


def store_error(description: str, cause: Exception | None = None) -> StoreError:
    """Return the error for a store that is of no use: nothing was sent, nothing is overwritten."""
    error = StoreError(
        description,
        cause=cause,
        advice="mend the store; the token in memory is good as long as it has not expired",
    )
    error.outcome = Outcome.NOT_SENT
    return error


def busy(seconds: float) -> TransportError:
    """Return the error for a lease that others have held for so many seconds."""
    return TransportError(
        f"others have been at this token's renewal for {seconds:.0f} seconds",
        outcome=Outcome.NOT_SENT,
        endpoint=Endpoint.TOKEN,
        advice="try again",
    )


def bound_elsewhere(dpop_key: str | None) -> LocalProtocolError:
    """Return the error for a refresh token that was refused to a process without its key.

    dpop_key: the name of the key that it was issued for.
    """
    error = LocalProtocolError(
        "the server has refused the stored refresh token, which was issued for another key",
        error="other_dpop_key",
        endpoint=Endpoint.TOKEN,
        advice=f"give this process dpop= with the key whose thumbprint is {dpop_key}",
    )
    error.outcome = Outcome.REFUSED
    return error


def dead(tombstone: DeadRefreshToken) -> ErrorResponse:
    """Return the error for a refresh token that the server has called invalid before."""
    return ErrorResponse(
        tombstone.error,
        "the server has called this refresh token invalid, so it was not sent again",
        endpoint=Endpoint.TOKEN,
        outcome=Outcome.NOT_SENT,
        advice="send the user to authorize again",
    )
