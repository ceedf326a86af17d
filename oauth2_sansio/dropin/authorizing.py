"""The user's way to the server and back, in the drop-in vocabulary."""

from __future__ import annotations

import warnings
from typing import Any

from ..errors import LocalProtocolError
from ..events import Endpoint, Finished
from ..tokens import OAuth2Token
from .callbacks import Callback, read_callback
from .configured import Configured
from .methods import Chosen, Unauthenticated
from .parameters import read_parameters, read_scope
from .settings import check_challenge_method

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
        """
        parameters = {
            **{name: self.metadata[name] for name in _DEFAULTS if name in self.metadata},
            **kwargs,
        }
        response_type = parameters.pop("response_type", None) or self._response_type()
        client_id = parameters.pop("client_id", self.client_id)
        if not client_id:
            raise LocalProtocolError(
                "there is no client_id", endpoint=Endpoint.AUTHORIZATION, advice="give client_id="
            )
        client = self._client(
            Endpoint.AUTHORIZATION,
            url,
            Chosen(client_id, Unauthenticated()),
            omit_pkce=not self._takes_challenge(parameters, code_verifier),
        )
        action = client.authorize(
            redirect_uri=parameters.pop("redirect_uri", self.redirect_uri),
            scope=read_scope(parameters.pop("scope", self.scope)),
            state=state,
            response_type=response_type,
            code_verifier=code_verifier,
            parameters=read_parameters(parameters),
        ).start(0.0)
        assert isinstance(action, Finished)  # without PAR nothing has to be sent
        pending = action.result
        self.state = pending.state
        kept = self._kept
        kept.code_verifier = code_verifier or pending.code_verifier
        kept.asked_type, kept.asked_mode = response_type, parameters.get("response_mode")
        return pending.url, pending.state

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
        expected = state or self.state
        kept = self._kept
        if expected is None and not kept.warned:
            kept.warned = True
            warnings.warn(
                "this callback is accepted although no state is expected: anybody can forge it. "
                "Pass state= to fetch_token or to the constructor",
                UserWarning,
                stacklevel=4,
            )
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
            now=now,
        )

    def _response_type(self) -> str:
        return str(self.metadata.get("response_type") or "code")
