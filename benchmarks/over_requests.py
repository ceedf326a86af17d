"""Requests over requests."""

from __future__ import annotations

import os
from io import BytesIO
from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests.auth import AuthBase

from oauth2_sansio import DPoP
from oauth2_sansio_requests import OAuth2Session

from .comparing import Group
from .keys import ec_key, signing_too
from .material import (
    BEARER,
    CREDENTIALS,
    SETTINGS,
    SHORT_ANSWER,
    TOKEN,
    TOKEN_URL,
    module,
    url_on,
)
from .measuring import Step


class _ShortestAuth(AuthBase):
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = BEARER
        return request


class _Canned(BaseAdapter):
    """Answers every request with a token, without any connection."""

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        response = requests.Response()
        response.status_code, response.raw = 200, BytesIO(SHORT_ANSWER.encode())
        response.headers["Content-Type"] = "application/json"
        response.request, response.url = request, request.url or ""
        return response

    def close(self) -> None:
        """Have nothing to close."""


def _asking(session: Any, port: int) -> Step:
    session.trust_env = False  # what the process's environment holds plays no part
    url = url_on(port)
    return lambda: session.get(url, timeout=30)


def _session(**settings: Any) -> OAuth2Session:
    return OAuth2Session(**SETTINGS, token_endpoint=TOKEN_URL, **{"token": TOKEN, **settings})


def _session_of_authlib() -> Any:
    library = module("authlib.integrations.requests_client")
    if library is None:
        return None
    return library.OAuth2Session(**SETTINGS, token_endpoint=TOKEN_URL, token=dict(TOKEN))


def _session_of_requests_oauthlib() -> Any:
    library = module("requests_oauthlib")
    if library is None:
        return None
    # It refuses plain http, also on the loopback interface, unless it is told so.
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
    known = {name: SETTINGS[name] for name in ("client_id", "scope", "redirect_uri")}
    return library.OAuth2Session(**known, token=dict(TOKEN))


# An authorized request.


def _get_by_hand(port: int) -> Step:
    session = requests.Session()
    session.auth = _ShortestAuth()
    return _asking(session, port)


def _get(port: int) -> Step:
    return _asking(_session(), port)


def _get_of_authlib(port: int) -> Step | None:
    session = _session_of_authlib()
    return None if session is None else _asking(session, port)


def _get_of_requests_oauthlib(port: int) -> Step | None:
    session = _session_of_requests_oauthlib()
    return None if session is None else _asking(session, port)


# One with a proof.


def _get_and_sign(port: int) -> Step | None:
    session = requests.Session()
    session.auth = _ShortestAuth()
    return signing_too(_asking(session, port))


def _get_with_proof(port: int) -> Step | None:
    key = ec_key()
    if key is None:
        return None
    bound = {**TOKEN, "token_type": "DPoP"}
    return _asking(_session(token=bound, dpop=DPoP(key.pem)), port)


# A token.


def _post_by_hand(_port: int) -> Step:
    session = requests.Session()
    _over_canned(session)
    form = {"grant_type": "client_credentials", "scope": "profile email"}
    return lambda: session.post(TOKEN_URL, data=form, headers=CREDENTIALS, timeout=30).json()


def _fetch(_port: int) -> Step:
    session = _session()
    _over_canned(session)
    return session.fetch_token


def _fetch_of_authlib(_port: int) -> Step | None:
    session = _session_of_authlib()
    if session is None:
        return None
    _over_canned(session)
    return lambda: session.fetch_token(grant_type="client_credentials", timeout=30)


def _over_canned(session: requests.Session) -> None:
    session.trust_env = False
    session.mount("https://", _Canned())


GROUPS = (
    Group(
        "requests",
        "An authorized request over requests, on the loopback interface",
        1.003,
        "OAuth2Session",
        {
            "the shortest auth object": _get_by_hand,
            "OAuth2Session": _get,
            "Authlib": _get_of_authlib,
            "requests-oauthlib": _get_of_requests_oauthlib,
        },
        times=40,
    ),
    Group(
        "requests-dpop",
        "A request with a DPoP-bound token over requests, on the loopback interface",
        1.1,
        "OAuth2Session, dpop=",
        {
            "a bare one, and an ES256 signature": _get_and_sign,
            "OAuth2Session, dpop=": _get_with_proof,
        },
        times=40,
    ),
    Group(
        "requests-fetch",
        "fetch_token over requests, with a canned adapter",
        None,
        "OAuth2Session",
        {
            "session.post(...).json()": _post_by_hand,
            "OAuth2Session": _fetch,
            "Authlib": _fetch_of_authlib,
        },
        times=40,
    ),
)
"""The groups, in the order in which they are printed."""
