"""Client authentication, and compliance hooks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .recorder import TOKEN
from .row import Do, Made, Row, State, call

_FETCH = (call("fetch_token"),)
_LONG = "a-secret-of-at-least-thirty-two-bytes"
_EXPIRED = {"access_token": "old", "token_type": "Bearer", "refresh_token": "r-1", "expires_at": 1}
_FRESH = {"access_token": "a-0", "token_type": "Bearer", "expires_at": 4_000_000_000}


def _sign(client: Any, method: str, uri: str, headers: Any, body: Any) -> tuple[Any, Any, Any]:
    headers["X-Signed"] = f"{client.client_id} {client.client_secret} {method}"
    return uri, headers, (body.decode() if isinstance(body, bytes) else body) + "&signed=1"


class _Named:
    name = "own"

    def __call__(self, client: Any, method: str, uri: str, headers: Any, body: Any) -> Any:
        return _sign(client, method, uri, headers, body)


def _jwt(name: str, *args: Any, **kwargs: Any) -> Made:
    return Made(lambda state: getattr(state.side.jwt, name)(*args, **kwargs))


def _registered(name: str, *args: Any, **kwargs: Any) -> Any:
    return call("register_client_auth_method", _jwt(name, *args, **kwargs))


def _rsa() -> str:
    from joserfc.jwk import RSAKey

    return RSAKey.generate_key(2048).as_pem(private=True).decode()


def _ec() -> str:
    from joserfc.jwk import ECKey

    return ECKey.generate_key("P-256").as_pem(private=True).decode()


_RSA, _EC = _rsa(), _ec()


def _hook(hook_type: str) -> Any:
    def register(state: State) -> Any:
        def of_request(url: str, headers: Any, body: Any) -> Any:
            headers["X-Hooked"] = hook_type
            text = body.decode() if isinstance(body, bytes) else body
            state.noted.append([hook_type, type(url).__name__, type(body).__name__])
            return url + "?hooked=1", headers, (text + "&hooked=1" if text else body)

        def of_response(response: Any) -> Any:
            state.noted.append([hook_type, response.status_code, response.json()])
            response.json = lambda: {**TOKEN, "access_token": "hooked"}
            return response

        return of_response if hook_type.endswith("response") else of_request

    return call("register_compliance_hook", hook_type, Made(register))


@dataclass(frozen=True)
class _Numbered:
    """A hook whose place in a set is known: the later it comes, the sooner it stands there."""

    number: int
    state: State

    def __hash__(self) -> int:
        return 8 - self.number

    def __call__(self, response: Any) -> Any:
        self.state.noted.append(self.number)
        return response


def _register_eight(client: Any, state: State) -> None:
    for number in range(8):
        client.register_compliance_hook("access_token_response", _Numbered(number, state))


ROWS = (
    *(
        Row(f"method {name}", _FETCH, {"token_endpoint_auth_method": name})
        for name in ("client_secret_basic", "client_secret_post", "none")
    ),
    Row(
        "basic: letters that must be encoded",
        _FETCH,
        positional=("an app", "a secret of 100% & more: +"),
    ),
    Row("basic: letters beyond ASCII", _FETCH, positional=("app", "grün")),
    Row("basic: letters beyond Latin-1", _FETCH, positional=("app", "секрет")),
    Row(
        "basic: an empty secret",
        _FETCH,
        {"token_endpoint_auth_method": "client_secret_basic"},
        positional=("app", ""),
    ),
    Row(
        "basic: no secret",
        _FETCH,
        {"token_endpoint_auth_method": "client_secret_basic"},
        positional=("app",),
    ),
    Row(
        "post: letters that must be encoded",
        _FETCH,
        {"token_endpoint_auth_method": "client_secret_post"},
        positional=("an app", "a secret of 100% & more: +"),
    ),
    Row(
        "post: no secret",
        _FETCH,
        {"token_endpoint_auth_method": "client_secret_post"},
        positional=("app",),
    ),
    Row(
        "none: GET",
        (call("fetch_token", method="GET"),),
        {"token_endpoint_auth_method": "none"},
        positional=("app",),
    ),
    Row("a function as the method", _FETCH, {"token_endpoint_auth_method": _sign}),
    Row(
        "a function by name",
        (call("register_client_auth_method", ("own", _sign)), *_FETCH),
        {"token_endpoint_auth_method": "own"},
    ),
    Row(
        "an object with a name",
        (call("register_client_auth_method", _Named()), *_FETCH),
        {"token_endpoint_auth_method": "own"},
    ),
    Row(
        "a registered name in place of a known one",
        (call("register_client_auth_method", ("client_secret_basic", _sign)), *_FETCH),
    ),
    Row("a name that nobody knows", _FETCH, {"token_endpoint_auth_method": "unheard_of"}),
    Row(
        "revocation: a function by name",
        (
            call("register_client_auth_method", ("own", _sign)),
            call("revoke_token", "{url}/revoke", token="t"),
        ),
        {"revocation_endpoint_auth_method": "own"},
    ),
    Row(
        "refresh: a function",
        (call("refresh_token"),),
        {"token_endpoint_auth_method": _sign, "token": _EXPIRED},
    ),
    Row(
        "client_secret_jwt",
        (_registered("ClientSecretJWT"), *_FETCH),
        {"token_endpoint_auth_method": "client_secret_jwt"},
        positional=("app", _LONG),
    ),
    Row(
        "client_secret_jwt: endpoint, claims, headers, alg",
        (
            _registered(
                "ClientSecretJWT", "https://as.example/token", {"a": 1}, {"kid": "k"}, "HS384"
            ),
            *_FETCH,
        ),
        {"token_endpoint_auth_method": "client_secret_jwt"},
        positional=("app", _LONG + _LONG),
    ),
    Row(
        "client_secret_jwt: as the method",
        _FETCH,
        {"token_endpoint_auth_method": _jwt("ClientSecretJWT")},
        positional=("app", _LONG),
    ),
    Row(
        "client_secret_jwt: an endpoint with a query",
        (_registered("ClientSecretJWT"), call("fetch_token", "{url}/token?tenant=a")),
        {"token_endpoint_auth_method": "client_secret_jwt"},
        positional=("app", _LONG),
    ),
    Row(
        "client_secret_jwt: a short secret",
        (_registered("ClientSecretJWT"), *_FETCH),
        {"token_endpoint_auth_method": "client_secret_jwt"},
    ),
    Row(
        "private_key_jwt",
        (_registered("PrivateKeyJWT"), *_FETCH),
        {"token_endpoint_auth_method": "private_key_jwt"},
        positional=("app", _RSA),
    ),
    Row(
        "private_key_jwt: endpoint, claims, headers, alg",
        (
            _registered(
                "PrivateKeyJWT",
                "https://as.example/token",
                claims={"a": 1},
                headers={"kid": "k"},
                alg="RS512",
            ),
            *_FETCH,
        ),
        {"token_endpoint_auth_method": "private_key_jwt"},
        positional=("app", _RSA),
    ),
    Row(
        "private_key_jwt: an EC key as text",
        (_registered("PrivateKeyJWT", alg="ES256"), *_FETCH),
        {"token_endpoint_auth_method": "private_key_jwt"},
        positional=("app", _EC),
    ),
    Row(
        "private_key_jwt: refresh",
        (_registered("PrivateKeyJWT"), call("refresh_token")),
        {"token_endpoint_auth_method": "private_key_jwt", "token": _EXPIRED},
        positional=("app", _RSA),
    ),
    Row("hook access_token_response", (_hook("access_token_response"), *_FETCH)),
    Row(
        "hook refresh_token_response",
        (_hook("refresh_token_response"), call("refresh_token")),
        {"token": _EXPIRED},
    ),
    Row(
        "hook refresh_token_request",
        (_hook("refresh_token_request"), call("refresh_token")),
        {"token": _EXPIRED},
    ),
    Row(
        "hook refresh_token_request: of a renewal",
        (_hook("refresh_token_request"), call("get", "{url}/api")),
        {"token": _EXPIRED},
    ),
    Row(
        "hook revoke_token_request",
        (_hook("revoke_token_request"), call("revoke_token", "{url}/revoke", token="t")),
    ),
    Row(
        "hook introspect_token_request",
        (
            _hook("introspect_token_request"),
            call("introspect_token", "{url}/introspect", token="t"),
        ),
    ),
    Row(
        "hook protected_request",
        (_hook("protected_request"), call("get", "{url}/api")),
        {"token": _FRESH},
    ),
    Row(
        "hook protected_request: a form",
        (_hook("protected_request"), call("post", "{url}/api", data={"a": "1"})),
        {"token": _FRESH},
    ),
    Row("hook access_token_request", (_hook("access_token_request"), *_FETCH)),
    Row("hook of no known type", (call("register_compliance_hook", "no_such_hook", _sign),)),
    Row("hooks in the order of their registration", (Do(_register_eight), *_FETCH)),
)
