"""What a server says of a token: only a true `true` is active."""

import json
import pickle
from typing import Any

import pytest

from oauth2_sansio.answers import Answer
from oauth2_sansio.errors import ErrorResponse, RemoteProtocolError
from oauth2_sansio.events import Endpoint, RequestToSend, ResponseReceived
from oauth2_sansio.introspection import Introspection, read_introspection

REQUEST = RequestToSend(endpoint=Endpoint.INTROSPECTION, url="https://as.example/introspect")


def answer(body: bytes, status: int = 200) -> Answer:
    return Answer(REQUEST, ResponseReceived(status=status, body=body), 0.0)


@pytest.mark.parametrize("active", [True, False])
def test_a_good_answer(active: bool) -> None:
    members = {"active": active, "scope": "a b", "exp": 5.5, "aud": "api", "own": [1]}
    found = read_introspection(answer(json.dumps(members).encode()))
    assert type(found) is Introspection
    assert found == members
    assert found.active is active
    assert (found.scope, found.expires_at, found.audience) == ("a b", 5.5, ("api",))
    assert repr(found) == str(found) == f"<Introspection active={active}>"
    assert pickle.loads(pickle.dumps(found)) == found


@pytest.mark.parametrize(
    ("members", "acr", "auth_time"),
    [
        ({"acr": "gold", "auth_time": 5}, "gold", 5.0),
        ({"acr": ["gold"], "auth_time": "soon"}, None, None),
        ({}, None, None),
    ],
)
def test_how_the_user_has_logged_in(
    members: dict[str, Any], acr: str | None, auth_time: float | None
) -> None:
    found = read_introspection(answer(json.dumps({"active": True, **members}).encode()))
    assert (found.acr, found.auth_time) == (acr, auth_time)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"active": null}',
        b'{"active": "false"}',
        b'{"active": "true"}',
        b'{"active": 1}',
        b'{"active": []}',
        b'{"active": true, "active": false}',
        b"[true]",
        b"true",
        b"",
        b"<html>ok</html>",
        b"eyJhbGciOiJub25lIn0.eyJhY3RpdmUiOnRydWV9.",
    ],
)
def test_whatever_is_not_plainly_an_answer_is_refused(body: bytes) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        read_introspection(answer(body))
    assert caught.value.endpoint is Endpoint.INTROSPECTION
    assert caught.value.status == 200


def test_a_refusal() -> None:
    with pytest.raises(ErrorResponse, match=r"^invalid_client"):
        read_introspection(answer(b'{"error": "invalid_client"}', 401))


@pytest.mark.parametrize("active", [None, "true", 1, [True]])
def test_only_a_true_true_is_active(active: object) -> None:
    assert Introspection(active=active).active is False
    assert Introspection().active is False


@pytest.mark.parametrize(
    ("members", "scope", "expires_at", "audience"),
    [
        ({}, None, None, ()),
        ({"scope": 5, "exp": "soon", "aud": 5}, None, None, ()),
        ({"scope": "a", "exp": "7", "aud": ["x", 5, "y"]}, "a", 7.0, ("x", "y")),
        ({"exp": True, "aud": None}, None, None, ()),
        ({"aud": {"x": 1}}, None, None, ()),
    ],
)
def test_odd_members(
    members: dict[str, Any], scope: str | None, expires_at: float | None, audience: tuple[str, ...]
) -> None:
    found = Introspection(members)
    assert (found.scope, found.expires_at, found.audience) == (scope, expires_at, audience)
