"""A token that is bound to a key, in requests to resource servers (RFC 9449 section 7)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..errors import LocalProtocolError
from ..events import Endpoint, RequestToSend, ResponseReceived
from ..resource import TokenPlacement, bound_access_token
from ..tokens import OAuth2Token
from .signing import signature, signature_async

if TYPE_CHECKING:
    from ..dpop import DPoP
    from .signing import Sign

_HEADER = TokenPlacement.HEADER.value


class BoundToken:
    """What a request with a bound token carries, and whether its answer asks for another proof."""

    __slots__ = ("_access_token", "_dpop", "_sent", "_sign", "authorization")

    def __init__(self, access_token: str, dpop: DPoP, sign: Sign | None = None) -> None:
        self.authorization = f"DPoP {access_token}"
        """The value of the header of this name."""
        self._access_token = access_token
        self._dpop = dpop
        self._sign = sign
        self._sent: tuple[str, str, str] | None = None  # method, URL and proof

    def prove(self, method: str, url: str, now: float) -> str:
        """Return a new value of the header `DPoP`.

        method, url: as the request goes out.
        now: seconds since the epoch.
        Raises what `signing.signature` raises, for a key that is elsewhere.
        """
        proof = self._dpop.prove(method, url, self._access_token, now)
        if not isinstance(proof, str):
            proof = proof.signed(signature(self._sign, proof.needed))
        self._sent = (method, url, proof)
        return proof

    async def prove_async(self, method: str, url: str, now: float) -> str:
        """Return the same, and await the signature where it has to be."""
        proof = self._dpop.prove(method, url, self._access_token, now)
        if not isinstance(proof, str):
            proof = proof.signed(await signature_async(self._sign, proof.needed))
        self._sent = (method, url, proof)
        return proof

    def learn(
        self, method: str, url: object, status: int, values_of: Callable[[str], Sequence[str]]
    ) -> bool:
        """Keep the nonce in an answer, and say whether a new proof differs in what it asks for.

        method, url: of the request that was answered, which a redirect may have changed; the URL is
            a text, or has one.
        values_of: returns the values of a header of the answer, by its name.
        """
        nonces = values_of("DPoP-Nonce")
        if self._sent is None or not (nonces or status == 401):
            return False
        first_method, first_url, proof = self._sent
        answered = RequestToSend(
            endpoint=Endpoint.RESOURCE, method=method, url=str(url), headers=(("DPoP", proof),)
        )
        headers = (
            *(("DPoP-Nonce", nonce) for nonce in nonces),
            *(("WWW-Authenticate", challenge) for challenge in values_of("WWW-Authenticate")),
        )
        asked = self._dpop.learn(answered, ResponseReceived(status=status, headers=headers))
        # A proof is for where it was sent first.
        is_elsewhere = (method, answered.url) != (first_method, first_url)
        return asked or (is_elsewhere and status == 401)


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
    if placement != _HEADER:
        raise LocalProtocolError(
            "a token that is bound to a key goes into the header",
            endpoint=Endpoint.RESOURCE,
            advice='use token_placement="header"',
        )
    return BoundToken(access_token, dpop, sign)
