"""A token that is bound to a key, in requests to resource servers (RFC 9449 section 7)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import LocalProtocolError
from ..events import Endpoint, RequestToSend, ResponseReceived
from ..exchange import Unsigned
from ..resource import TokenPlacement, bound_access_token
from ..tokens import OAuth2Token
from .signing import signature, signature_async

if TYPE_CHECKING:
    from ..dpop import DPoP
    from .signing import Sign


class BoundToken:
    """What a request with a bound token carries, and whether its answer asks for another proof."""

    __slots__ = ("_access_token", "_dpop", "_sent", "_sign", "authorization")

    def __init__(self, access_token: str, dpop: DPoP, sign: Sign | None = None) -> None:
        self.authorization = f"DPoP {access_token}"
        """The value of the header of this name."""
        self._access_token = access_token
        self._dpop = dpop
        self._sign = sign
        self._sent: RequestToSend | None = None

    def prove(self, method: str, url: str, now: float) -> str:
        """Return a new value of the header `DPoP`.

        method, url: as the request goes out.
        now: seconds since the epoch.
        Raises what `signing.signature` raises, for a key that is elsewhere.
        """
        found = self._dpop.bind(method, url, self._access_token, now)
        if isinstance(found, Unsigned):
            found = found.attach(signature(self._sign, found.needed))
        return self._proof_in(found)

    async def prove_async(self, method: str, url: str, now: float) -> str:
        """Return the same, and await the signature where it has to be."""
        found = self._dpop.bind(method, url, self._access_token, now)
        if isinstance(found, Unsigned):
            found = found.attach(await signature_async(self._sign, found.needed))
        return self._proof_in(found)

    def learn(
        self, method: str, url: str, status: int, values_of: Callable[[str], Sequence[str]]
    ) -> bool:
        """Keep the nonce in an answer, and say whether a new proof differs in what it asks for.

        method, url: of the request that was answered, which a redirect may have changed.
        values_of: returns the values of a header of the answer, by its name.
        """
        sent = self._sent
        if sent is None:
            return False
        # A proof is for where it was sent first.
        is_elsewhere = status == 401 and (method, url) != (sent.method, sent.url)
        nonces = values_of("DPoP-Nonce")
        if not nonces:
            return is_elsewhere
        answered = replace(sent, method=method, url=url)
        challenges = values_of("WWW-Authenticate")
        headers = (
            *(("DPoP-Nonce", nonce) for nonce in nonces),
            *(("WWW-Authenticate", challenge) for challenge in challenges),
        )
        response = ResponseReceived(status=status, headers=headers)
        return self._dpop.learn(answered, response) or is_elsewhere

    def _proof_in(self, signed: RequestToSend) -> str:
        self._sent = signed
        return signed.header("DPoP") or ""


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
