from __future__ import annotations

from typing import Any

import pytest

from oauth2_sansio import Endpoint, LocalProtocolError, RequestToSend
from oauth2_sansio.dropin.hooks import ComplianceHooks, HookType, amend_by, amend_response


def test_hooks_in_their_order() -> None:
    hooks = ComplianceHooks()
    assert not hooks
    for hook in (print, len, print, repr):
        hooks.register("protected_request", hook)
    assert hooks.of(HookType.PROTECTED_REQUEST) == (print, len, repr)
    assert hooks.of(HookType.ACCESS_TOKEN_RESPONSE) == ()


@pytest.mark.parametrize("name", ["", "access_token", "PROTECTED_REQUEST"])
def test_unknown_names(name: str) -> None:
    with pytest.raises(ValueError, match="access_token_request, .*protected_request"):
        ComplianceHooks().register(name, print)


def test_what_is_no_function() -> None:
    hook: Any = "hook"
    with pytest.raises(TypeError, match="a hook has to be a function, not a str"):
        ComplianceHooks().register("protected_request", hook)


def test_hooks_for_requests() -> None:
    request = RequestToSend(endpoint=Endpoint.TOKEN, url="https://as.example/token")
    hooks = amend_by(
        [lambda url, headers, body: (f"{url}1", headers, body)] * 2, HookType.ACCESS_TOKEN_REQUEST
    )
    for hook in hooks:
        request = hook(request)
    assert request.url == "https://as.example/token11"
    none: Any = lambda *_: None  # noqa: E731 - it is not worth a name
    (wrong,) = amend_by([none], HookType.REVOKE_TOKEN_REQUEST)
    with pytest.raises(TypeError, match="a hook of revoke_token_request has to return"):
        wrong(request)


def test_hooks_for_responses() -> None:
    assert amend_response("a", []) == "a"
    assert amend_response("a", [lambda text: text + "b", lambda text: text + "c"]) == "abc"
    with pytest.raises(LocalProtocolError, match="has returned None"):
        amend_response("a", [lambda _text: None])
