"""`OAuth2Auth`: the token in the requests of any `HTTPClient`, and its renewal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from oauth2_sansio.errors import LocalProtocolError
from oauth2_sansio.events import Endpoint
from oauth2_sansio.resource import TokenPlacement
from oauth2_sansio.waiting.lending import LentToken

from .placing import chosen_repair, placed, proved
from .request import Request
from .response import Response

if TYPE_CHECKING:
    from oauth2_sansio.dropin.binding import BoundToken


class OAuth2Auth(LentToken):
    """Authorize requests with a token (RFC 6750), as `auth=` of any `HTTPClient`.

    token: a dict; None for whatever token the client has at the time.
    token_placement: `header`, `body` or `uri`.
    client: an `OAuth2Client` that renews the token when it has expired, and saves it. Where the
        token is the client's own, the two share it.
    dpop: the key that the token is bound to; the client's where it is left out.
    sign: signs with that key where it is elsewhere; the client's where it is left out.

    Any number of such objects, each with its own user's token, may use one `HTTPClient`.
    """

    async def exchange(
        self,
        request: Request,
        send: Callable[[Request], Awaitable[Response]],
        *,
        follows_redirects: bool,
    ) -> Response:
        """Send a request with the token in it; once more where the server refuses the token.

        Raises `OAuthError` before anything is sent where there is no usable token.
        """
        placement = TokenPlacement(self.token_placement)
        if follows_redirects and placement is TokenPlacement.BODY:
            raise LocalProtocolError(
                "a redirect could take the token in the body to another server",
                endpoint=Endpoint.RESOURCE,
                advice='use token_placement="header", or leave out follow_redirects',
            )
        sent, access_token, bound = await self._authorized(request, placement, None)
        response = await send(await proved(sent, bound))
        if bound is None and response.status_code != 401:
            return response
        from oauth2_sansio.refusals import Repair, RepairBudget

        budget = RepairBudget()
        while (repair := chosen_repair(response, sent, budget, bound)) is not None:
            try:
                if repair is Repair.NEW_PROOF:
                    sent = response.request
                else:
                    sent, access_token, bound = await self._authorized(
                        request, placement, access_token
                    )
            except LocalProtocolError:  # there is no way to renew it: the caller sees the refusal
                return response
            except BaseException:
                await response.aclose()
                raise
            await response.aclose()
            response = await send(await proved(sent, bound))
        return response

    async def _authorized(
        self, request: Request, placement: TokenPlacement, rejected: str | None
    ) -> tuple[Request, str, BoundToken | None]:
        # The request with a good token in it, the token, and what it is bound to.
        header, token = self._ready() if rejected is None else (None, None)
        if header is not None:
            return request.with_header("Authorization", header), header.partition(" ")[2], None
        token = token or await self._awaited_token(rejected)
        hooks = () if self.client is None else self.client.protected_request_hooks()
        bound = self._bound(token)
        return placed(request, token, placement, hooks, bound), token.access_token or "", bound
