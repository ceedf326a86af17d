"""Asking the token endpoint again until the user has decided (RFC 8628 section 3.5, CIBA)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

from .answers import Answer
from .errors import ErrorResponse, LocalProtocolError, RemoteProtocolError
from .events import Action, Endpoint, Finished, Pairs, RequestFailed, RequestToSend, Wait
from .exchange import Exchange, Pipeline
from .flow import Flow
from .parameters import Parameters, joined
from .stored import Kinds, read_stored
from .tokens import OAuth2Token, read_seconds

if TYPE_CHECKING:
    from .client import Client

DEFAULT_INTERVAL = 5.0
"""Seconds between two requests, where the server says nothing (RFC 8628 section 3.2)."""

_SHORTEST_INTERVAL = 1.0  # both specifications count whole seconds: nobody is to be flooded
_LONGEST_INTERVAL = 3600.0
_SLOWER_BY = 5.0
_UNDECIDED = "the user has not decided yet"
_OVERLOADED = (429, 503)
_LONGEST_CODE = 8_000  # characters of what a server gives us to send back


class Polling(Exchange[OAuth2Token]):
    """Send one request again and again until it is answered for good, or it is too late.

    read: returns the token in the answer, or raises what the server says instead.
    interval: seconds before each request, the first one too; a server may make it longer.
    expires_at: when to give up, in seconds since the epoch.
    too_late: the error for that.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        draft: RequestToSend,
        read: Callable[[Answer], OAuth2Token],
        *,
        interval: float,
        expires_at: float,
        too_late: LocalProtocolError,
    ) -> None:
        super().__init__(pipeline, draft, read)
        self._interval = interval
        self._expires_at = expires_at
        self._too_late = too_late

    def on_start(self, now: float) -> Action[OAuth2Token]:
        """Wait first: nobody has decided yet."""
        return self._pause(self._interval, _UNDECIDED, now)

    def on_answer(self, answer: Answer) -> Action[OAuth2Token]:
        """Return the token, or wait where the server says that it is too early to ask."""
        try:
            return Finished(self._read(answer))
        except (ErrorResponse, RemoteProtocolError) as error:
            refusal = error
        match refusal.error:
            case "authorization_pending":
                reason = _UNDECIDED
            case "slow_down":
                # For this request and for all that follow (RFC 8628 section 3.5).
                self._interval += _SLOWER_BY
                reason = "the server was asked too often"
            case _ if answer.response.status in _OVERLOADED:
                reason = "the server is busy"
            case _:
                raise refusal
        return self._pause(max(self._interval, refusal.retry_after or 0.0), reason, answer.now)

    def on_failure(self, failure: RequestFailed, now: float) -> Action[OAuth2Token]:
        """Ask less often where no answer comes (RFC 8628 section 3.5)."""
        self._interval = min(2 * self._interval, _LONGEST_INTERVAL)
        return self._pause(self._interval, "no response came", now)

    def _pause(self, seconds: float, reason: str, now: float) -> Wait:
        # Before the pause and not after it: nobody waits for nothing.
        if now + seconds >= self._expires_at:
            raise self._too_late
        return Wait(seconds, reason)


def poll(
    client: Client,
    given: Pairs,
    parameters: Parameters,
    *,
    interval: float,
    expires_at: float,
    too_late: LocalProtocolError,
) -> Flow[OAuth2Token]:
    """Return a flow that asks the token endpoint until the user has decided: see `Polling`.

    given: the parameters of the request, in front of the caller's own.
    """
    form = joined(given, parameters, Endpoint.TOKEN, in_url=False)
    return Polling(
        client.pipeline,
        client.server.draft(Endpoint.TOKEN, form),
        client.read_token,
        interval=interval,
        expires_at=expires_at,
        too_late=too_late,
    ).flow()


def read_polling(
    answer: Answer, document: Mapping[str, Any], code: str
) -> tuple[str, float, float]:
    """Return what a server says of how to poll: the code, the expiry and the interval.

    code: the name of the member that has the code.
    Returns the expiry in seconds since the epoch, the interval in seconds.
    """
    value = document.get(code)
    if not is_code(value):
        raise answer.broken(f"the answer has no {code} that can be used")
    lifetime = read_seconds(document.get("expires_in"))
    if lifetime is None or lifetime <= 0:
        raise answer.broken("the answer does not say when it expires (expires_in)")
    interval = read_seconds(document.get("interval"))
    if interval is None or interval <= 0:
        interval = DEFAULT_INTERVAL
    interval = min(max(interval, _SHORTEST_INTERVAL), _LONGEST_INTERVAL)
    return value, answer.now + lifetime, interval


def read_stored_polling(
    document: object, kinds: Kinds, refusal: Callable[[str], Exception]
) -> dict[str, Any]:
    """Return the members of a stored login that can be polled for: see `read_stored`."""
    values = read_stored(document, kinds, refusal)
    if values["interval"] <= 0:
        raise refusal("its interval is no duration")
    return values


def is_code(value: object) -> TypeGuard[str]:
    """Say whether a value is a text that can be sent back to the server."""
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_CODE
