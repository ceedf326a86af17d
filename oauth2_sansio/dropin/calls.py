"""What a call of the drop-in vocabulary comes to: a flow, and how the HTTP library is to send it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..events import Action, Event, Finished, T
from ..flow import Flow


class Call(Flow[T]):
    """A flow together with what concerns the HTTP library alone.

    options: request options of the HTTP library, such as `timeout`.
    http_auth: an authentication object of the HTTP library, instead of client authentication.
    amend_response: the users' hooks; each gets and returns the HTTP library's response.
    on_success: is called once when the flow has its result.
    """

    __slots__ = ("amend_response", "http_auth", "options")

    def __init__(
        self,
        flow: Flow[T],
        *,
        options: Mapping[str, Any],
        http_auth: object = None,
        amend_response: tuple[Callable[[Any], Any], ...] = (),
        on_success: Callable[[], None] | None = None,
    ) -> None:
        step = flow.step

        def step_and_tell(event: Event, now: float) -> Action[T]:
            action = step(event, now)
            if on_success is not None and isinstance(action, Finished):
                on_success()
            return action

        super().__init__(step if on_success is None else step_and_tell)
        self.options = options
        self.http_auth = http_auth
        self.amend_response = amend_response
