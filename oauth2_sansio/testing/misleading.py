"""Misbehaviours on the way to the callback."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from oauth2_sansio.events import Endpoint, Pairs

from .fault import ELSEWHERE, CallbackChange, Fault
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
