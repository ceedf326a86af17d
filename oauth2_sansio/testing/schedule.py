"""Which misbehaviours are switched on, and for how long."""

from __future__ import annotations

from collections.abc import Container, Mapping
from types import TracebackType
from typing import Any, Self

from oauth2_sansio.events import Endpoint, Pairs, RequestToSend, ResponseReceived

from .fault import ANYWHERE, Change, Fault
from .forging import FORGERIES, UnsignedJWT
from .messages import IncomingRequest
from .misbehaviour import Misbehaviour
from .misleading import CALLBACKS, NOTIFICATIONS
from .refusing import INSTEAD
from .spoiling import AFTERWARDS


class Switch:
    """A misbehaviour that is switched on: leave its `with` block, or call `off`, to end it."""

    __slots__ = ("_endpoints", "_left", "misbehaviour", "used")

    def __init__(
        self, misbehaviour: Misbehaviour, endpoints: Container[Endpoint], times: int | None
    ) -> None:
        self.misbehaviour = misbehaviour
        self.used = 0
        """How often it has happened."""
        self._endpoints = endpoints
        self._left = times

    @property
    def is_on(self) -> bool:
        """Whether it can still happen."""
        return self._left is None or self._left > 0

    def off(self) -> None:
        """Switch it off."""
        self._left = 0

    def concerns(self, endpoint: Endpoint) -> bool:
        """Return whether it can happen at an endpoint."""
        return self.is_on and endpoint in self._endpoints

    def use(self) -> None:
        """Count that it happens."""
        self.used += 1
        if self._left is not None:
            self._left -= 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.off()

    def __repr__(self) -> str:
        left = "always" if self._left is None else f"{self._left} times"
        return f"<Switch {self.misbehaviour.name}, {left}>"


class Schedule:
    """The misbehaviours that are switched on, in the order in which that was done."""

    __slots__ = ("_switches",)

    def __init__(self) -> None:
        self._switches: list[Switch] = []

    def switch_on(
        self, misbehaviour: Misbehaviour, times: int | None, endpoint: Endpoint | None
    ) -> Switch:
        """Switch a misbehaviour on, so many times or always, at its own endpoints or another."""
        endpoints = _endpoints(misbehaviour)
        if endpoint is not None:
            # An answer instead can come from any endpoint, a spoilt one from any that clients ask,
            # and all else happens at its own alone.
            possible = ANYWHERE if misbehaviour in AFTERWARDS else endpoints
            if misbehaviour not in INSTEAD and endpoint not in possible:
                raise ValueError(f"{misbehaviour.name} cannot happen at the {endpoint}")
            endpoints = frozenset({endpoint})
        switch = Switch(misbehaviour, endpoints, times)
        self._switches.append(switch)
        return switch

    def switch_off(self) -> None:
        """Switch all misbehaviours off."""
        for switch in self._switches:
            switch.off()
        self._switches.clear()

    def answer_instead(
        self, endpoint: Endpoint, request: IncomingRequest
    ) -> ResponseReceived | None:
        """Return what is answered instead of acting, if anything.

        Raises `AnswerLost` if the request does not arrive.
        """
        taken = self._take(INSTEAD, endpoint, request, most=1)
        return taken[0](request) if taken else None

    def change_answer(
        self, endpoint: Endpoint, request: IncomingRequest, response: ResponseReceived
    ) -> ResponseReceived:
        """Return what becomes of an answer.

        Raises `AnswerLost` if nothing does.
        """
        for change in self._take(AFTERWARDS, endpoint, request):
            response = change(response)
        return response

    def change_callback(self, request: IncomingRequest, pairs: Pairs) -> Pairs:
        """Return what becomes of the parameters of a callback."""
        for change in self._take(CALLBACKS, Endpoint.AUTHORIZATION, request):
            pairs = change(pairs)
        return pairs

    def change_notification(
        self, request: IncomingRequest, notification: RequestToSend
    ) -> RequestToSend:
        """Return what becomes of the request that will notify a client."""
        for change in self._take(NOTIFICATIONS, Endpoint.BACKCHANNEL_AUTHENTICATION, request):
            notification = change(notification)
        return notification

    def forge(self, endpoint: Endpoint, request: IncomingRequest, jwt: UnsignedJWT) -> UnsignedJWT:
        """Return what becomes of a JWT before it is signed."""
        for change in self._take(FORGERIES, endpoint, request):
            jwt = change(jwt)
        return jwt

    def _take(
        self,
        table: Mapping[Misbehaviour, Fault[Change]],
        endpoint: Endpoint,
        request: IncomingRequest,
        most: int | None = None,
    ) -> list[Change]:
        """Return what is to happen now by this table, and count that it does."""
        due = [
            (switch, fault)
            for switch in self._switches
            if switch.concerns(endpoint)
            and (fault := table.get(switch.misbehaviour)) is not None
            and fault.concerns(request)
        ][:most]
        for switch, _ in due:
            switch.use()
        return [fault.change for _, fault in due]


def _endpoints(misbehaviour: Misbehaviour) -> frozenset[Endpoint]:
    tables: tuple[Mapping[Misbehaviour, Fault[Any]], ...]
    tables = (INSTEAD, AFTERWARDS, CALLBACKS, NOTIFICATIONS, FORGERIES)
    return next(table[misbehaviour].endpoints for table in tables if misbehaviour in table)
