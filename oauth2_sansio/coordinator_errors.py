"""What goes wrong between a coordinator and its store.

OAuth2Error
 ├─ StoreError           the store has failed: nothing was sent, nothing is overwritten
 └─ RefreshPausedError   the last refresh has failed a moment ago, and the next may not begin yet

See `token_record.py` for records that cannot be used, `UnsavedTokenError` for a token that could
not be saved.
"""

from __future__ import annotations

from .errors import ErrorResponse, OAuth2Error, Outcome, TransportError, printable
from .events import Endpoint
from .token_record import DeadRefreshToken


class StoreError(OAuth2Error):
    """The store has failed, and so nothing was sent.

    cause: what the store has raised. It may quote a password: mind where you print it. A pickled
        error leaves it out.
    """

    default_error = "token_store"
    cause: Exception | None = None

    def __init__(self, description: str, *, cause: Exception | None = None) -> None:
        super().__init__(
            None,
            description,
            outcome=Outcome.NOT_SENT,
            advice="mend the store; the token in memory is good as long as it has not expired",
        )
        self.cause = cause


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


def store_failed(cause: Exception, what: str) -> OAuth2Error:
    """Return the error for a store that has raised while doing something."""
    if isinstance(cause, OAuth2Error):  # its text is fit to be printed, and says more
        return StoreError(f"{what} has failed: {printable(str(cause), 400)}", cause=cause)
    return StoreError(f"{what} has failed: {type(cause).__name__}", cause=cause)


def busy(seconds: float) -> TransportError:
    """Return the error for a lease that others have held for so many seconds."""
    return TransportError(
        f"others have been at this token's renewal for {seconds:.0f} seconds",
        outcome=Outcome.NOT_SENT,
        endpoint=Endpoint.TOKEN,
        advice="try again",
    )


def dead(tombstone: DeadRefreshToken) -> ErrorResponse:
    """Return the error for a refresh token that the server has called invalid before."""
    return ErrorResponse(
        tombstone.error,
        "the server has called this refresh token invalid, so it was not sent again",
        endpoint=Endpoint.TOKEN,
        outcome=Outcome.NOT_SENT,
        advice="send the user to authorize again",
    )
