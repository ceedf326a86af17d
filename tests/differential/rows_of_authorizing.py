"""The way to the server and back."""

from __future__ import annotations

from .recorder import Answer
from .row import Read, Row, Step, call

_AUTHORIZE = "https://as.example/authorize"
_CALLBACK = "https://app.example/cb"
_VERIFIER = "a-verifier-of-at-least-43-characters-0123456789"
_PKCE = {"code_challenge_method": "S256"}


def _fetch(callback: str, **kwargs: object) -> tuple[Step, ...]:
    return (call("fetch_token", authorization_response=_CALLBACK + callback, **kwargs),)


ROWS = (
    Row("url: nothing else", (call("create_authorization_url", _AUTHORIZE), Read("state"))),
    Row(
        "url: by keyword, with state, scope and redirect_uri of the client",
        (call("create_authorization_url", url=_AUTHORIZE, state="s"),),
        {"scope": "read write", "redirect_uri": _CALLBACK},
    ),
    Row(
        "url: scope as a list",
        (call("create_authorization_url", _AUTHORIZE, state="s"),),
        {"scope": ["read", "write"]},
    ),
    Row(
        "url: arguments of the call go before those of the client",
        (
            call(
                "create_authorization_url",
                _AUTHORIZE,
                "s",
                scope="other",
                redirect_uri="https://app.example/other",
            ),
        ),
        {"scope": "read", "redirect_uri": _CALLBACK},
    ),
    Row(
        "url: extra parameters, a list repeats its name, None is left out",
        (
            call(
                "create_authorization_url",
                _AUTHORIZE,
                "s",
                access_type="offline",
                resource=["https://a.example", "https://b.example"],
                hint=None,
                number=3,
            ),
        ),
    ),
    Row("url: an empty parameter", (call("create_authorization_url", _AUTHORIZE, "s", empty=""),)),
    Row(
        "url: with a query of its own",
        (call("create_authorization_url", f"{_AUTHORIZE}?tenant=a&flag=1", "s"),),
    ),
    Row(
        "url: with a query that can be written in several ways",
        (call("create_authorization_url", f"{_AUTHORIZE}?tenant=a%20b&path=/x", "s"),),
    ),
    Row(
        "url: defaults from the constructor",
        (call("create_authorization_url", _AUTHORIZE, "s"),),
        {
            "response_type": "code",
            "response_mode": "form_post",
            "nonce": "n",
            "prompt": "login",
            "login_hint": "alice",
        },
    ),
    Row(
        "url: response_type of the call",
        (call("create_authorization_url", _AUTHORIZE, "s", response_type="token"),),
    ),
    Row(
        "url: PKCE",
        (call("create_authorization_url", _AUTHORIZE, "s", code_verifier=_VERIFIER),),
        _PKCE,
    ),
    Row(
        "url: PKCE by position",
        (call("create_authorization_url", _AUTHORIZE, "s", _VERIFIER),),
        _PKCE,
    ),
    Row(
        "url: PKCE for a hybrid response",
        (
            call(
                "create_authorization_url",
                _AUTHORIZE,
                "s",
                code_verifier=_VERIFIER,
                response_type="code id_token",
            ),
        ),
        _PKCE,
    ),
    Row(
        "url: PKCE without a verifier", (call("create_authorization_url", _AUTHORIZE, "s"),), _PKCE
    ),
    Row(
        "url: a verifier, and no method",
        (call("create_authorization_url", _AUTHORIZE, "s", code_verifier=_VERIFIER),),
    ),
    Row("callback: a code", _fetch("?code=c&state=s"), {"state": "s", "redirect_uri": _CALLBACK}),
    Row("callback: a code, and no state is expected", _fetch("?code=c")),
    Row("callback: state of the call", _fetch("?code=c&state=s", state="s")),
    Row("callback: another state", _fetch("?code=c&state=forged", state="s")),
    Row("callback: no state where one is expected", _fetch("?code=c"), {"state": "s"}),
    Row(
        "callback: another state than that of create_authorization_url",
        (
            call("create_authorization_url", _AUTHORIZE, "s"),
            *_fetch("?code=c&state=forged"),
        ),
    ),
    Row(
        "callback: an error", _fetch("?error=access_denied&error_description=no&state=s", state="s")
    ),
    Row("callback: neither code nor error", _fetch("?state=s", state="s")),
    Row("callback: a code and Facebook's fragment", _fetch("?code=c&state=s#_=_", state="s")),
    Row("callback: repeated code", _fetch("?code=c&code=d&state=s", state="s")),
    Row(
        "callback: another issuer",
        _fetch("?code=c&state=s&iss=https%3A%2F%2Fevil.example", state="s"),
        {"issuer": "https://as.example"},
    ),
    Row(
        "callback: the issuer",
        _fetch("?code=c&state=s&iss=https%3A%2F%2Fas.example", state="s"),
        {"issuer": "https://as.example"},
    ),
    Row(
        "callback: an error without issuer, where the metadata promise one",
        _fetch("?error=access_denied&state=s", state="s"),
        {
            "issuer": "https://as.example",
            "authorization_response_iss_parameter_supported": True,
        },
    ),
    Row(
        "callback: with the verifier",
        _fetch("?code=c&state=s", state="s", code_verifier=_VERIFIER),
        {**_PKCE, "redirect_uri": _CALLBACK},
    ),
    Row(
        "callback: a token in the fragment, and no token endpoint",
        _fetch("#access_token=a&token_type=Bearer&expires_in=3600&state=s", state="s"),
        {"token_endpoint": None},
    ),
    Row(
        "callback: a token in the fragment where a code was asked for",
        _fetch("#access_token=a&token_type=Bearer&state=s", state="s"),
    ),
    Row(
        "callback: an error in the fragment",
        _fetch("#error=access_denied&state=s", state="s"),
        {"token_endpoint": None},
    ),
    Row(
        "token_from_fragment",
        (
            call(
                "token_from_fragment", f"{_CALLBACK}#access_token=a&token_type=Bearer&state=s", "s"
            ),
        ),
    ),
    Row(
        "token_from_fragment: its state by keyword",
        (
            call(
                "token_from_fragment",
                authorization_response=f"{_CALLBACK}#access_token=a&token_type=Bearer&state=s",
                state="s",
            ),
        ),
    ),
    Row(
        "token_from_fragment: another state",
        (
            call(
                "token_from_fragment", f"{_CALLBACK}#access_token=a&token_type=Bearer&state=f", "s"
            ),
        ),
    ),
    Row(
        "token_from_fragment: no token", (call("token_from_fragment", f"{_CALLBACK}#state=s", "s"),)
    ),
    Row(
        "token_from_fragment: no token type",
        (call("token_from_fragment", f"{_CALLBACK}#access_token=a&state=s", "s"),),
    ),
    Row(
        "the code is refused",
        _fetch("?code=c&state=s", state="s"),
        answers={"/token": (Answer({"error": "invalid_grant"}, 400),)},
    ),
)
