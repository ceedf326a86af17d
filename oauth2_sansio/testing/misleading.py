"""Misbehaviours on the way to the callback, and to the client's notification endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from oauth2_sansio.events import Endpoint, Pairs

from .fault import ELSEWHERE, CallbackChange, Fault, NotificationChange
from .misbehaviour import Misbehaviour


def _callback(name: str, *values: str) -> Fault[CallbackChange]:
    """Put other values in the place of a parameter, or none."""

    def change(pairs: Pairs) -> Pairs:
        kept = tuple(pair for pair in pairs if pair[0] != name)
        return kept + tuple((name, value) for value in values)

    return Fault(change, frozenset({Endpoint.AUTHORIZATION}))


def _changed_callback(change: CallbackChange) -> Fault[CallbackChange]:
    return Fault(change, frozenset({Endpoint.AUTHORIZATION}))


def _mix_up(pairs: Pairs) -> Pairs:
    foreign = {"iss": ELSEWHERE, "code": "code-of-another-server"}
    return tuple((name, foreign.get(name, value)) for name, value in pairs)


def _issuer_with_slash(pairs: Pairs) -> Pairs:
    return tuple((name, f"{value}/" if name == "iss" else value) for name, value in pairs)


def _double_code(pairs: Pairs) -> Pairs:
    return (*(pair for pair in pairs if pair[0] == "code"), *pairs)


CALLBACKS: Mapping[Misbehaviour, Fault[CallbackChange]] = MappingProxyType(
    {
        Misbehaviour.ISSUER_MIXUP: _changed_callback(_mix_up),
        Misbehaviour.CALLBACK_WRONG_ISSUER: _changed_callback(_issuer_with_slash),
        Misbehaviour.CALLBACK_WITHOUT_ISSUER: _callback("iss"),
        Misbehaviour.CALLBACK_WITHOUT_STATE: _callback("state"),
        Misbehaviour.CALLBACK_WRONG_STATE: _callback("state", "of-somebody-else"),
        Misbehaviour.CALLBACK_WITHOUT_CODE: _callback("code"),
        Misbehaviour.CALLBACK_DOUBLED_CODE: _changed_callback(_double_code),
        Misbehaviour.CALLBACK_ERROR_AND_CODE: _callback("error", "access_denied"),
    }
)


def _notification(change: NotificationChange) -> Fault[NotificationChange]:
    return Fault(change, frozenset({Endpoint.BACKCHANNEL_AUTHENTICATION}))


def _with_token(token: str) -> Fault[NotificationChange]:
    return _notification(lambda request: request.with_header("Authorization", f"Bearer {token}"))


def _with_body(body: bytes) -> Fault[NotificationChange]:
    return _notification(lambda request: replace(request, content=body))


NOTIFICATIONS: Mapping[Misbehaviour, Fault[NotificationChange]] = MappingProxyType(
    {
        Misbehaviour.NOTIFICATION_WRONG_TOKEN: _with_token("of-somebody-else"),
        Misbehaviour.NOTIFICATION_WITHOUT_TOKEN: _notification(
            lambda request: replace(request, headers=request.headers[1:])
        ),
        Misbehaviour.NOTIFICATION_OF_ANOTHER: _with_body(b'{"auth_req_id": "of-another"}'),
        Misbehaviour.NOTIFICATION_NOT_JSON: _with_body(b"<html>"),
        Misbehaviour.NOTIFICATION_PUSHES_TOKENS: _with_body(
            b'{"auth_req_id": "a", "access_token": "t", "token_type": "Bearer"}'
        ),
    }
)
