"""The drop-in vocabulary without the sending: arguments become flows of the strict one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..answers import Answer
from ..errors import InvalidTokenError, LocalProtocolError, MissingTokenError
from ..events import Endpoint, Pairs
from ..flow import Flow
from ..keeper import Renewal, TokenKeeper
from ..tokens import OAuth2Token
from .amending import header_pairs
from .authorizing import Authorizing
from .calls import Call
from .hooks import HookType
from .kinds import is_mapping
from .parameters import read_body, read_parameters

if TYPE_CHECKING:
    from ..coordinator import RefreshCoordinator, RefreshPolicy

_NEVER_IN_A_URL = frozenset({"client_secret", "password"})


@dataclass(frozen=True, slots=True)
class AskedAbout:
    """A token that was revoked or introspected, and the status of the answer."""

    token: str = field(repr=False)
    status: int


class Vocabulary(Authorizing):
    """What the classes of all adapters know and decide without I/O."""

    _keeper: TokenKeeper

    @property
    def leeway(self) -> float:
        """How many seconds before its end a token is renewed."""
        return self._keeper.leeway

    @leeway.setter
    def leeway(self, leeway: float) -> None:
        self._keeper.leeway = leeway

    # Calls: each becomes a flow, together with what concerns the HTTP library alone.

    def _fetching(
        self,
        url: str | None,
        body: Any,
        method: str,
        headers: Mapping[str, str] | None,
        auth: Any,
        grant_type: str | None,
        state: str | None,
        parameters: dict[str, Any],
        now: float,
    ) -> Call[OAuth2Token] | OAuth2Token:
        self._check_details(parameters)
        options = self._take_options(parameters)
        response = parameters.pop("authorization_response", None)
        if response is not None:
            callback = self._read_callback(response, url, state, now)
            if callback.token is not None:
                self._kept.client_credentials = None
                return callback.token
            parameters["code"] = callback.code
            grant_type = grant_type or "authorization_code"
        from_body = read_body(body)
        named = dict(from_body)
        method = method.upper()
        grant: str = (
            grant_type
            or named.get("grant_type")
            or self.metadata.get("grant_type")
            or _guess_grant(parameters)
        )
        self._add_defaults(grant, parameters, named)
        given = (
            *[pair for pair in from_body if pair != ("grant_type", grant)],
            *read_parameters(parameters),
        )
        if method == "GET" and not _NEVER_IN_A_URL.isdisjoint(name for name, _ in given):
            raise LocalProtocolError(
                "a secret never goes into a URL", endpoint=Endpoint.TOKEN, advice="use POST"
            )
        chosen = self._chosen(auth, self.token_endpoint_auth_method)
        own_headers = header_pairs(headers)
        for_itself = grant == "client_credentials"

        def succeed() -> None:
            # Renewed with all that was asked for here; a user's token is not renewed so.
            self._kept.client_credentials = call if for_itself else None
            self._kept.token_url = url or self._kept.token_url

        def call(on_success: Callable[[], None] | None = None) -> Call[OAuth2Token]:
            client = self._client(Endpoint.TOKEN, url, chosen, hooks=HookType.ACCESS_TOKEN_REQUEST)
            flow = client.request_token(grant, parameters=given, method=method, headers=own_headers)
            return self._call(flow, options, chosen, HookType.ACCESS_TOKEN_RESPONSE, on_success)

        return call(succeed)

    def _add_defaults(
        self, grant_type: str, parameters: dict[str, Any], named: Mapping[str, str]
    ) -> None:
        # What the body names already is not added.
        if grant_type == "authorization_code":
            if not (parameters.get("code") or named.get("code")):
                raise LocalProtocolError(
                    "there is no code",
                    error="missing_code",
                    endpoint=Endpoint.TOKEN,
                    advice="pass authorization_response=, which also says why there is none",
                )
            defaults = {
                "redirect_uri": self.redirect_uri,
                "code_verifier": self._kept.code_verifier,
            }
        else:
            defaults = {"scope": self.scope or None}
        for name, value in defaults.items():
            if name not in named:
                parameters.setdefault(name, value)

    def _refreshing(
        self,
        url: str | None,
        refresh_token: str | None,
        body: Any,
        auth: Any,
        headers: Mapping[str, str] | None,
        parameters: dict[str, Any],
    ) -> Renewal:
        self._check_details(parameters)
        options = self._take_options(parameters)
        from_body = read_body(body)
        if "scope" not in dict(from_body):
            parameters.setdefault("scope", self.scope or None)
        given = (*from_body, *read_parameters(parameters))
        chosen = self._chosen(auth, self.token_endpoint_auth_method)
        own_headers = header_pairs(headers)

        def renew(token: OAuth2Token) -> Call[OAuth2Token]:
            if refresh_token is not None and refresh_token != token.refresh_token:
                token = OAuth2Token({**token, "refresh_token": refresh_token})
            client = self._client(
                Endpoint.TOKEN,
                url or self._remembered_url(),
                chosen,
                hooks=HookType.REFRESH_TOKEN_REQUEST,
            )
            flow = client.refresh(token, parameters=given, headers=own_headers)
            return self._call(flow, options, chosen, HookType.REFRESH_TOKEN_RESPONSE)

        return renew

    def _asking_about_token(
        self,
        endpoint: Endpoint,
        hooks: HookType,
        url: str | None,
        token: str | Mapping[str, Any] | None,
        token_type_hint: str | None,
        body: Any,
        auth: Any,
        headers: Mapping[str, str] | None,
        parameters: dict[str, Any],
    ) -> Call[AskedAbout]:
        options = self._take_options(parameters)
        named = self._named_token(token)
        if token_type_hint:
            parameters = {"token_type_hint": token_type_hint, **parameters}
        given: Pairs = (("token", named), *read_body(body), *read_parameters(parameters))
        chosen = self._chosen(auth, self._method_at(endpoint))
        client = self._client(endpoint, url, chosen, hooks=hooks)

        def read(answer: Answer) -> AskedAbout:
            # The caller gets the HTTP library's response as it is, if its body can be read: what
            # revocation has to say, the status says.
            answer.check_size()
            if endpoint is not Endpoint.REVOCATION:
                answer.check_coding()
            return AskedAbout(named, answer.response.status)

        flow = client.exchange(endpoint, given, read, headers=header_pairs(headers))
        return self._call(flow, options, chosen, None)

    def _forget_revoked(self, token: str, status: int) -> bool:
        held = self._keeper.token
        ours = () if held is None else (held.get("access_token"), held.get("refresh_token"))
        revoked = status in (200, 204) and token in ours
        if revoked:
            self._keeper.token = None
        return revoked

    def _arrive(self, token: OAuth2Token, now: float) -> None:
        # Keep a token that was just issued.
        self._keeper.arrive(token, now)

    def _coordinator(self) -> RefreshCoordinator:
        # Whose token it is follows from the settings, and is the same in all processes.
        from ..coordinator import RefreshCoordinator
        from ..token_record import TokenIdentity

        issuer = self.metadata.get("issuer") or self.metadata.get("token_endpoint")
        if not issuer:
            raise TypeError("store= takes issuer= or token_endpoint=, to tell whose token it is")
        identity = TokenIdentity(
            issuer=issuer, client_id=self.client_id or "", subject=self._kept.store_key
        )
        return RefreshCoordinator(
            identity,
            policy=self._refresh_policy(),
            key=self._kept.store_key,
            dpop_key=None if self.dpop is None else self.dpop.thumbprint,
        )

    def _refresh_policy(self) -> RefreshPolicy:
        from ..coordinator_policy import RefreshPolicy

        limit, given = self.deadline, self._kept.refresh_policy
        if given is None:
            return RefreshPolicy(
                deadline=limit, lease=2 * limit, patience=3 * limit, leeway=self.leeway
            )
        if given.deadline < limit:
            raise ValueError(
                f"a token request may take {limit:g} seconds (deadline=), and refresh_policy allows "
                f"it {given.deadline:g}: else another process would send its own meanwhile"
            )
        return replace(given, leeway=max(given.leeway, self.leeway))

    # Renewals, which nobody calls by name.

    def _renewal(self, token: OAuth2Token) -> Flow[OAuth2Token]:
        if not token.refresh_token and self._kept.client_credentials is not None:
            return self._kept.client_credentials()
        return self._renewal_of_another(token)

    def _renewal_of_another(self, token: OAuth2Token) -> Flow[OAuth2Token]:
        # Of a token that this client has not fetched: only what was configured tells how.
        if token.refresh_token and self._token_url():
            return self._refreshing(None, None, "", None, None, {})(token)
        if self.metadata.get("grant_type") == "client_credentials" and self._token_url():
            url = self._remembered_url()
            call = self._fetching(url, "", "POST", None, None, "client_credentials", None, {}, 0.0)
            assert isinstance(call, Call)  # only a callback can hold a token already
            return call
        raise _not_renewable(has_refresh_token=bool(token.refresh_token))

    def _renewing(self, token: OAuth2Token) -> Renewal:
        # The renewal of this token, whichever is held by then.
        return lambda _held: self._renewal_of(token)(token)

    def _renewal_of(self, token: OAuth2Token) -> Renewal:
        # For a keeper of its own. A token of a user must not become one of the client itself.
        held = self._keeper.token
        is_own = held is not None and held.get("access_token") == token.get("access_token")
        return self._renewal if is_own else self._renewal_of_another

    def _saved_as(self, previous: OAuth2Token) -> dict[str, Any]:
        # The keyword argument by which `update_token` learns which token has been replaced.
        if previous.refresh_token:
            return {"refresh_token": previous.refresh_token}
        return {"access_token": previous.get("access_token")}

    def _token_url(self) -> str | None:
        return self.metadata.get("token_endpoint") or self._kept.token_url

    def _named_token(self, token: str | Mapping[str, Any] | None) -> str:
        named: object = token
        if token is None or isinstance(token, Mapping):
            held = self._keeper.token if token is None else read_given_token(token)
            named = None if held is None else held.refresh_token or held.access_token
        if not named:
            raise MissingTokenError("there is no token to name", advice="pass token=")
        return str(named)


def read_given_token(token: Any) -> OAuth2Token | None:
    """Return a token that a user hands in; raise `TypeError` for one that is no dict."""
    if token is None or is_mapping(token):
        return OAuth2Token.from_dict(token)
    raise TypeError(f"a token is a dict, not a {type(token).__name__}")


def _guess_grant(parameters: Mapping[str, Any]) -> str:
    if "code" in parameters:
        return "authorization_code"
    if "username" in parameters and "password" in parameters:
        return "password"
    return "client_credentials"


def _not_renewable(*, has_refresh_token: bool) -> InvalidTokenError:
    return InvalidTokenError(
        "the token has expired"
        + (", and no token endpoint is known" if has_refresh_token else " and cannot be renewed"),
        endpoint=Endpoint.RESOURCE,
        advice="give token_endpoint=" if has_refresh_token else "fetch a new token",
    )
