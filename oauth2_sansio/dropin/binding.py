"""A token that is bound to a key, in requests to resource servers (RFC 9449 section 7)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import LocalProtocolError
from ..events import (
    Action,
    Endpoint,
    Event,
    Finished,
    RequestToSend,
    ResponseReceived,
    SignatureMade,
)
from ..exchange import Unsigned
from ..flow import Flow
from ..resource import TokenPlacement, bound_access_token
from ..tokens import OAuth2Token
from .responses import header_texts
from .signing import finish, finish_async

if TYPE_CHECKING:
    from ..dpop import DPoP
    from .signing import Sign

_HEEDED = frozenset({"dpop-nonce", "www-authenticate"})


class BoundToken:
    """What a request with a bound token carries, and whether its answer asks for another proof."""

    __slots__ = ("_dpop", "_sent", "_sign", "authorization")

    def __init__(self, access_token: str, dpop: DPoP, sign: Sign | None = None) -> None:
        self.authorization = f"DPoP {access_token}"
        """The value of the header of this name."""
        self._dpop = dpop
        self._sign = sign
        self._sent: RequestToSend | None = None

    def prove(self, method: str, url: str, now: float) -> str:
        """Return a new value of the header `DPoP`.

        method, url: as the request goes out.
        now: seconds since the epoch.
        Raises what `signing.finish` raises, for a key that is elsewhere.
        """
        return finish(self._proving(method, url), lambda: now, self._sign)

    async def prove_async(self, method: str, url: str, now: float) -> str:
        """Return the same, and await the signature where it has to be."""
        return await finish_async(self._proving(method, url), lambda: now, self._sign)

    def _proving(self, method: str, url: str) -> Flow[str]:
        unsigned: Unsigned

        def step(event: Event, now: float) -> Action[str]:
            nonlocal unsigned
            if isinstance(event, SignatureMade):
                signed = unsigned.attach(event.signature)
            else:
                found = self._dpop.bind(method, url, self.authorization[len("DPoP ") :], now)
                if isinstance(found, Unsigned):
                    unsigned = found
                    return unsigned.needed
                signed = found
            self._sent = signed
            return Finished(signed.header("DPoP") or "")

        return Flow(step)

    def learn(
        self, method: str, url: str, status: int, headers: Iterable[tuple[object, object]]
    ) -> bool:
        """Keep the nonce in an answer, and say whether a new proof differs in what it asks for.

        method, url: of the request that was answered, which a redirect may have changed.
        """
        if self._sent is None:
            return False
        answered, is_elsewhere = self._sent, False
        if (method, url) != (answered.method, answered.url):
            answered = replace(answered, method=method, url=url)
            is_elsewhere = status == 401  # the proof was for where it was sent first
        heeded = header_texts(pair for pair in headers if str(pair[0]).lower() in _HEEDED)
        response = ResponseReceived(status=status, headers=heeded)
        return self._dpop.learn(answered, response) or is_elsewhere


def bound(
    token: OAuth2Token, placement: str, dpop: DPoP, sign: Sign | None = None
) -> BoundToken | None:
    """Return what goes into a request with a bound token; None for a token of another type.

    placement: where the user wants the token.
    sign: signs where the key is elsewhere.
    Raises `LocalProtocolError` for a bound token that is to go elsewhere than into the header.
    """
    access_token = bound_access_token(token)
    if access_token is None:
        return None
    if placement != TokenPlacement.HEADER.value:
        raise LocalProtocolError(
            "a token that is bound to a key goes into the header",
            endpoint=Endpoint.RESOURCE,
            advice='use token_placement="header"',
        )
    return BoundToken(access_token, dpop, sign)
