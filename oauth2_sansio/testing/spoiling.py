"""Misbehaviours of a server that acts, and then spoils its answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TypeAlias, cast
from urllib.parse import urlencode

from oauth2_sansio.events import Endpoint, ResponseReceived

from .fault import ELSEWHERE, Afterwards, Fault
from .messages import FORM, IncomingRequest
from .misbehaviour import AnswerLost, Misbehaviour


def _is_refresh(request: IncomingRequest) -> bool:
    return ("grant_type", "refresh_token") in request.form + request.query


def _lose_answer(_response: ResponseReceived) -> ResponseReceived:
    raise AnswerLost(sent=True)


def _body(change: Callable[[bytes], bytes]) -> Fault[Afterwards]:
    return Fault(lambda response: replace(response, body=change(response.body)))


def _append_member(text: bytes) -> Fault[Afterwards]:
    """Put one more member behind the others of a JSON object."""
    return _body(lambda body: body.rstrip(b"}") + b", " + text + b"}")


def _content_type(*values: str) -> Fault[Afterwards]:
    def change(response: ResponseReceived) -> ResponseReceived:
        kept = tuple(pair for pair in response.headers if pair[0].lower() != "content-type")
        return replace(response, headers=kept + tuple(("Content-Type", value) for value in values))

    return Fault(change)


def _double(body: bytes) -> bytes:
    return b"{" + body.strip()[1:-1] + b", " + body.strip()[1:-1] + b"}"


Members: TypeAlias = dict[str, object]


def _read_members(response: ResponseReceived) -> Members | None:
    """Return the members of a success, or `None` for anything but a JSON object."""
    try:
        value: object = json.loads(response.body)
    except ValueError:
        return None
    if response.status not in (200, 201) or not isinstance(value, dict):
        return None
    return cast(Members, value)


def _members(change: Callable[[Members], Members], *endpoints: Endpoint) -> Fault[Afterwards]:
    """Change the members of a JSON object in a success; leave all other answers as they are."""

    def apply(response: ResponseReceived) -> ResponseReceived:
        members = _read_members(response)
        if members is None:
            return response
        return replace(response, body=json.dumps(change(members)).encode())

    return Fault(apply, frozenset(endpoints))


def _set(name: str, value: object, endpoint: Endpoint = Endpoint.TOKEN) -> Fault[Afterwards]:
    return _members(lambda members: members | {name: value}, endpoint)


def _convert(
    name: str, change: Callable[[str], object], endpoint: Endpoint = Endpoint.TOKEN
) -> Fault[Afterwards]:
    """Replace a member by what is made of its text."""

    def apply(members: Members) -> Members:
        return members | {name: change(str(members[name]))} if name in members else members

    return _members(apply, endpoint)


def _without(name: str, endpoint: Endpoint = Endpoint.TOKEN) -> Fault[Afterwards]:
    return _members(
        lambda members: {key: value for key, value in members.items() if key != name}, endpoint
    )


def _status(status: int) -> Fault[Afterwards]:
    return Fault(lambda response: replace(response, status=status), frozenset({Endpoint.TOKEN}))


def _as_form(response: ResponseReceived) -> ResponseReceived:
    members = _read_members(response)
    if members is None:
        return response
    body = urlencode(members).encode("ascii")
    return replace(_content_type(FORM).change(response), body=body)


def _keys(change: Callable[[list[object]], list[object]]) -> Fault[Afterwards]:
    def apply(members: Members) -> Members:
        return {"keys": change(cast("list[object]", members["keys"]))}

    return _members(apply, Endpoint.JWKS)


def _times_as_floats(members: Members) -> Members:
    times = {name: float(str(members[name])) + 0.25 for name in ("iat", "exp") if name in members}
    return members | times


def _http_endpoints(members: Members) -> Members:
    changed = {
        name: str(value).replace("https://", "http://", 1)
        for name, value in members.items()
        if name.endswith("_endpoint")
    }
    return members | changed


def _name_of_draft(members: Members) -> Members:
    others = {"verification_uri": "verification_url"}
    return {others.get(name, name): value for name, value in members.items()}


_METADATA = Endpoint.METADATA
_INTROSPECTION = Endpoint.INTROSPECTION
_JWKS = Endpoint.JWKS
_PUSHED = Endpoint.PUSHED_AUTHORIZATION
_DEVICE = Endpoint.DEVICE_AUTHORIZATION
_BACKCHANNEL = Endpoint.BACKCHANNEL_AUTHENTICATION
_PUBLISHED: Members = {  # RFC 8037 appendix A.1
    "kty": "OKP",
    "crv": "Ed25519",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
}
_WRONG_TYPES: Members = {
    "token_endpoint": ["https://as.example.com/token"],
    "token_endpoint_auth_methods_supported": "client_secret_basic",
    "code_challenge_methods_supported": {"S256": True},
    "authorization_response_iss_parameter_supported": "yes",
}

AFTERWARDS: Mapping[Misbehaviour, Fault[Afterwards]] = MappingProxyType(
    {
        Misbehaviour.DROP_ANSWER: Fault(_lose_answer),
        Misbehaviour.DROP_ANSWER_AFTER_ROTATION: Fault(
            _lose_answer, frozenset({Endpoint.TOKEN}), _is_refresh
        ),
        Misbehaviour.EMPTY_BODY: _body(lambda _body: b""),
        Misbehaviour.NOT_JSON: _body(lambda body: b"OK " + body),
        Misbehaviour.CUT_JSON: _body(lambda body: body[: len(body) // 2]),
        Misbehaviour.JSON_ARRAY: _body(lambda body: b"[" + body + b"]"),
        Misbehaviour.DUPLICATE_MEMBERS: _body(_double),
        Misbehaviour.DEEP_NESTING: _append_member(b'"a": ' + b"[" * 100_000 + b"]" * 100_000),
        Misbehaviour.HUGE_NUMBER: _append_member(b'"a": ' + b"9" * 10_000),
        Misbehaviour.NOT_A_NUMBER: _append_member(b'"a": NaN'),
        Misbehaviour.HUGE_BODY: _body(lambda body: body + b" " * 2_000_000),
        Misbehaviour.BAD_UTF8: _append_member(b'"a": "\xff\xfe"'),
        Misbehaviour.BOM: _body(lambda body: b"\xef\xbb\xbf" + body),
        Misbehaviour.UTF16: _body(lambda body: body.decode().encode("utf-16")),
        Misbehaviour.TEXT_PLAIN: _content_type("text/plain"),
        Misbehaviour.NO_CONTENT_TYPE: _content_type(),
        Misbehaviour.FORM_ENCODED_ANSWER: Fault(_as_form, frozenset({Endpoint.TOKEN})),
        Misbehaviour.TOKEN_IN_400: _status(400),
        Misbehaviour.TOKEN_IN_201: _status(201),
        Misbehaviour.ERROR_BESIDE_TOKEN: _set("error", "invalid_grant"),
        Misbehaviour.MISSING_ACCESS_TOKEN: _without("access_token"),
        Misbehaviour.NULL_ACCESS_TOKEN: _set("access_token", None),
        Misbehaviour.LINE_BREAK_IN_ACCESS_TOKEN: _convert(
            "access_token", lambda text: f"{text}\r\nX-Injected: yes"
        ),
        Misbehaviour.MISSING_TOKEN_TYPE: _without("token_type"),
        Misbehaviour.LOWER_CASE_TOKEN_TYPE: _convert("token_type", str.lower),
        Misbehaviour.UNKNOWN_TOKEN_TYPE: _set("token_type", "mac"),
        Misbehaviour.NULL_REFRESH_TOKEN: _set("refresh_token", None),
        Misbehaviour.EMPTY_REFRESH_TOKEN: _set("refresh_token", ""),
        Misbehaviour.MISSING_REFRESH_TOKEN: _without("refresh_token"),
        Misbehaviour.MISSING_EXPIRES_IN: _without("expires_in"),
        Misbehaviour.EXPIRES_IN_STRING: _convert("expires_in", str),
        Misbehaviour.EXPIRES_IN_FLOAT: _convert("expires_in", lambda text: float(text) + 0.5),
        Misbehaviour.EXPIRES_IN_OBJECT: _set("expires_in", {"seconds": 3600}),
        Misbehaviour.NULL_EXPIRES_IN: _set("expires_in", None),
        Misbehaviour.NEGATIVE_EXPIRES_IN: _set("expires_in", -1),
        Misbehaviour.ABSURD_EXPIRES_IN: _set("expires_in", 10**30),
        Misbehaviour.SCOPE_ARRAY: _convert("scope", str.split),
        Misbehaviour.MISSING_SCOPE: _without("scope"),
        Misbehaviour.METADATA_WRONG_ISSUER: _set("issuer", ELSEWHERE, _METADATA),
        Misbehaviour.METADATA_ISSUER_WITH_SLASH: _convert(
            "issuer", lambda text: f"{text}/", _METADATA
        ),
        Misbehaviour.METADATA_HTTP_ENDPOINTS: _members(_http_endpoints, _METADATA),
        Misbehaviour.METADATA_SCRIPT_ENDPOINT: _set(
            "authorization_endpoint", "javascript:alert(1)//https://as.example.com", _METADATA
        ),
        Misbehaviour.METADATA_WITHOUT_TOKEN_ENDPOINT: _without("token_endpoint", _METADATA),
        Misbehaviour.METADATA_WRONG_TYPES: _members(
            lambda members: members | _WRONG_TYPES, _METADATA
        ),
        Misbehaviour.METADATA_HTTP_ALIASES: _set(
            "mtls_endpoint_aliases", {"token_endpoint": "http://mtls.example/token"}, _METADATA
        ),
        Misbehaviour.METADATA_ALIASES_AS_LIST: _set("mtls_endpoint_aliases", [], _METADATA),
        Misbehaviour.METADATA_WITHOUT_S256: _set(
            "code_challenge_methods_supported", ["plain"], _METADATA
        ),
        Misbehaviour.AUTHORIZATION_DETAILS_AS_TEXT: _convert("authorization_details", str),
        Misbehaviour.AUTHORIZATION_DETAILS_WITHOUT_TYPE: _set(
            "authorization_details", [{"amount": "12.00"}]
        ),
        Misbehaviour.MISSING_AUTHORIZATION_DETAILS: _without("authorization_details"),
        Misbehaviour.OTHER_AUTHORIZATION_DETAILS: _set(
            "authorization_details", [{"type": "nobody-has-asked-for-this"}]
        ),
        Misbehaviour.RESOURCE_METADATA_OF_ANOTHER: _set("resource", ELSEWHERE, _METADATA),
        Misbehaviour.RESOURCE_METADATA_WITH_SLASH: _convert(
            "resource", lambda text: f"{text}/", _METADATA
        ),
        Misbehaviour.RESOURCE_METADATA_HTTP_SERVER: _set(
            "authorization_servers", ["http://as.example.com"], _METADATA
        ),
        Misbehaviour.RESOURCE_METADATA_WRONG_TYPES: _set(
            "authorization_servers", "https://as.example.com", _METADATA
        ),
        Misbehaviour.DPOP_BEARER_ANSWER: _set("token_type", "Bearer"),
        Misbehaviour.DEVICE_WITHOUT_CODE: _without("device_code", _DEVICE),
        Misbehaviour.DEVICE_WITHOUT_EXPIRES_IN: _without("expires_in", _DEVICE),
        Misbehaviour.DEVICE_WITHOUT_INTERVAL: _without("interval", _DEVICE),
        Misbehaviour.DEVICE_ABSURD_INTERVAL: _set("interval", 10**30, _DEVICE),
        Misbehaviour.DEVICE_NAME_OF_DRAFT: _members(_name_of_draft, _DEVICE),
        Misbehaviour.DEVICE_SCRIPT_PAGE: _set(
            "verification_uri", "javascript:alert(1)//https://as.example.com", _DEVICE
        ),
        Misbehaviour.DEVICE_HTTP_PAGE: _set(
            "verification_uri_complete", "http://elsewhere.example/device", _DEVICE
        ),
        Misbehaviour.DEVICE_CONTROL_CHARACTERS: _set("user_code", "WDJB\x1b[2J", _DEVICE),
        Misbehaviour.BACKCHANNEL_WITHOUT_ID: _without("auth_req_id", _BACKCHANNEL),
        Misbehaviour.BACKCHANNEL_ID_OBJECT: _set("auth_req_id", {"id": 1}, _BACKCHANNEL),
        Misbehaviour.BACKCHANNEL_WITHOUT_EXPIRES_IN: _without("expires_in", _BACKCHANNEL),
        Misbehaviour.EXCHANGE_OF_ANOTHER_TYPE: _convert(
            "issued_token_type", lambda _: "urn:ietf:params:oauth:token-type:saml1"
        ),
        Misbehaviour.EXCHANGE_WITHOUT_TYPE: _without("issued_token_type"),
        Misbehaviour.EXCHANGE_TYPE_LIST: _convert("issued_token_type", lambda text: [text]),
        Misbehaviour.PUSHED_WITHOUT_REQUEST_URI: _without("request_uri", _PUSHED),
        Misbehaviour.PUSHED_REQUEST_URI_LIST: _convert("request_uri", lambda text: [text], _PUSHED),
        Misbehaviour.PUSHED_WITHOUT_EXPIRES_IN: _without("expires_in", _PUSHED),
        Misbehaviour.JWKS_PRIVATE_KEY: _keys(lambda keys: [*keys, _PUBLISHED]),
        Misbehaviour.JWKS_SHARED_SECRET: _keys(lambda keys: [*keys, {"kty": "oct", "k": "aHVzaA"}]),
        Misbehaviour.JWKS_HUGE: _keys(lambda keys: keys * 1_000),
        Misbehaviour.JWKS_WITHOUT_KEYS: _keys(lambda _keys: []),
        Misbehaviour.JWKS_KEYS_OBJECT: _set("keys", {"0": {}}, _JWKS),
        Misbehaviour.INTROSPECTION_ACTIVE_AS_TEXT: _convert("active", str.lower, _INTROSPECTION),
        Misbehaviour.INTROSPECTION_WITHOUT_ACTIVE: _without("active", _INTROSPECTION),
        Misbehaviour.INTROSPECTION_TIMES_AS_FLOATS: _members(_times_as_floats, _INTROSPECTION),
    }
)
