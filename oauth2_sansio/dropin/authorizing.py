"""The user's way to the server and back, in the drop-in vocabulary."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..authorization import PendingAuthorization
from ..callback import ResponseMode, check_signed_mode
from ..errors import LocalProtocolError
from ..events import Endpoint
from ..tokens import OAuth2Token
from .callbacks import Callback, is_signed, read_callback
from .calls import Call
from .configured import Configured
from .methods import Chosen, Unauthenticated
from .parameters import read_parameters, read_scope
from .settings import check_challenge_method

if TYPE_CHECKING:
    from ..jwt_verification import JWTVerification

_DEFAULTS = ("response_mode", "nonce", "prompt", "login_hint", "access_type")


class Authorizing(Configured):
    """Make authorization URLs, and read what comes back."""

    def create_authorization_url(
        self,
        url: str | None = None,
        state: str | None = None,
        code_verifier: str | None = None,
        **kwargs: Any,
    ) -> tuple[str, str]:
        """Return the URL to send the user to, and the state, which is kept for `fetch_token`.

        url: the authorization endpoint; its own query is kept as it is.
        state: made at random where it is left out.
        code_verifier: for PKCE (RFC 7636); made at random and kept where the client was built with
            `code_challenge_method="S256"`.
        kwargs: further parameters; a list repeats its name, a dict becomes JSON.
        A server whose metadata require it gets all of this directly, as `push_authorization_request`
        sends it. Where that, or a signature by a key elsewhere, has to be awaited, this raises
        `LocalProtocolError`, which names what can be awaited.
        """
        if self.metadata.get("require_pushed_authorization_requests"):
            return self._push_at_once(url, state, code_verifier, kwargs)
        flow, keep = self._authorizing(url, state, code_verifier, kwargs, push=False)
        from .signing import finish  # here, since few clients sign

        return keep(finish(flow, self._now, self.sign))

    @abstractmethod
    def _now(self) -> float:
        """Return the time in seconds since the epoch."""

    @abstractmethod
    def _push_at_once(
        self,
        url: str | None,
        state: str | None,
        code_verifier: str | None,
        parameters: dict[str, Any],
        /,
    ) -> tuple[str, str]:
        """Do the same for a server that requires it to be pushed (RFC 9126)."""

    def _authorizing(
        self,
        url: str | None,
        state: str | None,
        code_verifier: str | None,
        given: Mapping[str, Any],
        *,
        push: bool,
    ) -> tuple[Call[PendingAuthorization], Callable[[PendingAuthorization], tuple[str, str]]]:
        # The call, and what is to be done with its result.
        parameters = {
            **{name: self.metadata[name] for name in _DEFAULTS if name in self.metadata},
            **given,
        }
        self._check_details(parameters)
        options = self._take_options(parameters) if push else {}
        response_type = parameters.pop("response_type", None) or self._response_type()
        client_id = parameters.pop("client_id", self.client_id)
        if not client_id:
            raise LocalProtocolError(
                "there is no client_id", endpoint=Endpoint.AUTHORIZATION, advice="give client_id="
            )
        mode = parameters.get("response_mode")
        if is_signed(mode):
            check_signed_mode(ResponseMode(mode), self.metadata.get("issuer"))
        omit_pkce = not self._takes_challenge(parameters, code_verifier)
        if push:
            own = self._chosen(None, self.token_endpoint_auth_method)
            chosen = Chosen(client_id, own.way, http_auth=own.http_auth)
            endpoint, at = Endpoint.PUSHED_AUTHORIZATION, None
            beside: tuple[tuple[Endpoint, str | None], ...] = ((Endpoint.AUTHORIZATION, url),)
        else:
            chosen = Chosen(client_id, Unauthenticated())
            endpoint, at, beside = Endpoint.AUTHORIZATION, url, ()
        client = self._client(endpoint, at, chosen, omit_pkce=omit_pkce, beside=beside)
        flow = client.authorize(
            redirect_uri=parameters.pop("redirect_uri", self.redirect_uri),
            scope=read_scope(parameters.pop("scope", self.scope)),
            state=state,
            response_type=response_type,
            code_verifier=code_verifier,
            parameters=read_parameters(parameters),
            push=push,
        )

        def keep(pending: PendingAuthorization) -> tuple[str, str]:
            self.state = pending.state
            kept = self._kept
            kept.code_verifier = code_verifier or pending.code_verifier
            kept.asked_type, kept.asked_mode = response_type, parameters.get("response_mode")
            return pending.url, pending.state

        return self._call(flow, options, chosen, None), keep

    def _takes_challenge(self, parameters: dict[str, Any], code_verifier: str | None) -> bool:
        # Whether a challenge is made here: not where the caller hands in one.
        if "code_challenge" in parameters:
            return False
        method = parameters.pop("code_challenge_method", None) or self.code_challenge_method
        check_challenge_method(method)
        return method is not None or code_verifier is not None

    def _implicit_token(self, response: str, state: str | None, now: float) -> OAuth2Token:
        callback = self._read_callback(response, None, state, now, token_is_welcome=True)
        if callback.token is None:
            raise LocalProtocolError(
                "there is no token in the fragment of this callback",
                endpoint=Endpoint.AUTHORIZATION,
                advice="pass it to fetch_token",
            )
        return callback.token

    def _read_callback(
        self,
        response: object,
        url: str | None,
        state: str | None,
        now: float,
        *,
        token_is_welcome: bool = False,
    ) -> Callback:
        expected = state or self.state or None
        kept = self._kept
        if expected is None and not kept.warned:
            kept.warned = True
            warnings.warn(
                "this callback is accepted although no state is expected: anybody can forge it. "
                "Pass state= to fetch_token or to the constructor",
                UserWarning,
                stacklevel=4,
            )

        def verification() -> JWTVerification:
            from ..jwt_verification import authorization_verification

            chosen = self._chosen(None, self.token_endpoint_auth_method)
            client = self._client(Endpoint.TOKEN, url, chosen)
            return authorization_verification(client, kept.server_keys)

        no_endpoint = not (url or self.metadata.get("token_endpoint"))
        return read_callback(
            response.decode("ascii", "replace") if isinstance(response, bytes) else str(response),
            state=expected,
            response_type=kept.asked_type or self._response_type(),
            response_mode=kept.asked_mode or self.metadata.get("response_mode"),
            token_is_welcome=token_is_welcome or no_endpoint or self._response_type() == "token",
            issuer=self.metadata.get("issuer"),
            issuer_required=bool(
                self.metadata.get("authorization_response_iss_parameter_supported")
            ),
            verification=verification,
            now=now,
        )

    def _response_type(self) -> str:
        return str(self.metadata.get("response_type") or "code")
