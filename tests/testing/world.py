"""A server with three clients, and the requests that the tests send to it by hand."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from oauth2_sansio.events import Endpoint, Pairs, RequestToSend, ResponseReceived
from oauth2_sansio.testing import AuthorizationServer, Clock, RegisteredClient, ServerSettings, User

FORM = ("Content-Type", "application/x-www-form-urlencoded")
CALLBACK = "https://client.example/cb"
VERIFIER = "v" * 43
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()

APP = RegisteredClient(
    client_id="app",
    client_secret="s3cret",
    redirect_uris=(CALLBACK,),
    grant_types=(
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "password",
        "implicit",
    ),
    scope="read write",
)
OTHER = RegisteredClient(
    client_id="other",
    client_secret="0ther",
    redirect_uris=("https://other.example/cb",),
    grant_types=("client_credentials", "authorization_code", "refresh_token"),
    scope="read",
)
PHONE = RegisteredClient(
    client_id="phone",
    redirect_uris=("http://127.0.0.1/cb", "http://[::1]", "com.example:/cb?app=1"),
    grant_types=("authorization_code", "client_credentials"),
    scope="read",
)


def basic(client_id: str, client_secret: str) -> Pairs:
    """Return the Authorization header with credentials that need no encoding."""
    text = b64encode(f"{client_id}:{client_secret}".encode()).decode()
    return (("Authorization", f"Basic {text}"),)


APP_BASIC = basic("app", "s3cret")
OTHER_BASIC = basic("other", "0ther")


def members(response: ResponseReceived) -> dict[str, Any]:
    """Return the members of a JSON answer."""
    value = json.loads(response.body)
    assert isinstance(value, dict)
    return value


def error(response: ResponseReceived) -> tuple[int, str]:
    """Return status and code of a refusal."""
    return response.status, members(response)["error"]


class World:
    """The server, its clock, and the requests of a client."""

    def __init__(self, settings: ServerSettings | None = None, **arguments: Any) -> None:
        self.clock = Clock()
        self.server = AuthorizationServer(
            clients=(APP, OTHER, PHONE), settings=settings, now=self.clock, **arguments
        )

    def get(self, url: str, *headers: tuple[str, str], method: str = "GET") -> ResponseReceived:
        request = RequestToSend(endpoint=Endpoint.RESOURCE, method=method, url=url, headers=headers)
        return self.server.handle(request)

    def resource(self, token: str, path: str = "/api") -> ResponseReceived:
        return self.get(f"{self.server.issuer}{path}", ("Authorization", f"Bearer {token}"))

    def request(
        self, endpoint: Endpoint, *form: tuple[str, str], headers: Pairs = APP_BASIC
    ) -> RequestToSend:
        url = self.server.url(endpoint)
        return RequestToSend(endpoint=endpoint, url=url, headers=(FORM, *headers), form=form)

    def post(
        self, endpoint: Endpoint, *form: tuple[str, str], headers: Pairs = APP_BASIC
    ) -> ResponseReceived:
        return self.server.handle(self.request(endpoint, *form, headers=headers))

    def token_request(self, grant_type: str, **form: str) -> ResponseReceived:
        return self.post(Endpoint.TOKEN, ("grant_type", grant_type), *form.items())

    def refresh(self, refresh_token: str, **form: str) -> ResponseReceived:
        return self.token_request("refresh_token", refresh_token=refresh_token, **form)

    def authorization_url(self, *more: tuple[str, str], **changes: str | None) -> str:
        """Return the URL of a good request, with changes; `None` leaves a parameter out."""
        parameters: dict[str, str | None] = {
            "response_type": "code",
            "client_id": "app",
            "redirect_uri": CALLBACK,
            "state": "a state",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        pairs = [(name, value) for name, value in (parameters | changes).items() if value]
        return f"{self.server.url(Endpoint.AUTHORIZATION)}?{urlencode([*pairs, *more])}"

    def callback(self, *more: tuple[str, str], **changes: str | None) -> dict[str, str]:
        """Visit the authorization endpoint, and return what the callback's query says."""
        url = self.server.visit(self.authorization_url(*more, **changes))
        return dict(parse_qsl(urlsplit(url).query, strict_parsing=True))

    def callback_for(self, user: User, **changes: str | None) -> dict[str, str]:
        """Do the same for another user."""
        own, self.server.user = self.server.user, user
        try:
            return self.callback(**changes)
        finally:
            self.server.user = own

    def redeem(self, code_: str, *more: tuple[str, str], **changes: str | None) -> ResponseReceived:
        """Redeem a code in a good request, with changes; `None` leaves a parameter out."""
        parameters: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code_,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }
        pairs = [(name, value) for name, value in (parameters | changes).items() if value]
        return self.post(Endpoint.TOKEN, *pairs, *more)

    def tokens(self, **changes: str | None) -> dict[str, Any]:
        """Go the whole way to tokens of the client `app` for the user `alice`."""
        response = self.redeem(self.callback(**changes)["code"])
        assert response.status == 200
        return members(response)

    def works(self, token: str) -> bool:
        """Return whether the protected resource takes a token."""
        return self.resource(token).status == 200
