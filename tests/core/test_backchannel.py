"""Login without a browser (CIBA): what goes out, what comes back, and what is forged."""

from __future__ import annotations

import json
import pickle
from base64 import urlsafe_b64decode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio import Client, ClientSecretBasic, RequestObject, Server
from oauth2_sansio.backchannel import (
    CIBA,
    BackchannelAuthentication,
    BackchannelNotification,
    authenticate_backchannel,
    poll_backchannel,
    read_notification,
    redeem_notification,
)
from oauth2_sansio.errors import LocalProtocolError, OAuth2Error, RemoteProtocolError
from oauth2_sansio.events import (
    Endpoint,
    Finished,
    RequestToSend,
    ResponseReceived,
    Wait,
    WaitElapsed,
)

from .keys_for_tests import key_for

SERVER = Server(
    issuer="https://as.example",
    token_endpoint="https://as.example/token",
    backchannel_authentication_endpoint="https://as.example/bc",
)
CLIENT = Client(
    server=SERVER,
    client_id="app",
    auth=ClientSecretBasic("s"),
    random_bytes=lambda size: b"r" * size,
)
# The example of CIBA Core section 7.3, with an interval.
ANSWER = {"auth_req_id": "1c266114-a1be-4252-8ad1-04986c5b9ac1", "expires_in": 120, "interval": 2}
LOGIN = BackchannelAuthentication(
    auth_req_id="1c266114-a1be-4252-8ad1-04986c5b9ac1",
    expires_at=1120.0,
    interval=2.0,
    client_notification_token="n-token",
)
BODY = json.dumps({"auth_req_id": LOGIN.auth_req_id}).encode()


def signing(**changes: Any) -> Client:
    server = Server(
        issuer="https://as.example", backchannel_authentication_endpoint="https://as.example/bc"
    )
    given: dict[str, Any] = {"request_object": RequestObject(key_for("ES256")), **changes}
    return Client(server=given.pop("server", server), client_id="app", **given)


def taking(*algorithms: str) -> Server:
    return Server(
        issuer="https://as.example",
        backchannel_authentication_endpoint="https://as.example/bc",
        backchannel_authentication_request_signing_alg_values_supported=algorithms,
    )


def asked(client: Client = CLIENT, **arguments: Any) -> RequestToSend:
    request = authenticate_backchannel(client, **arguments).start(1000.0)
    assert isinstance(request, RequestToSend)
    return request


def test_the_request() -> None:
    assert asked(login_hint="alice") == RequestToSend(
        endpoint=Endpoint.BACKCHANNEL_AUTHENTICATION,
        url="https://as.example/bc",
        headers=(
            ("Accept", "application/json"),
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Authorization", "Basic YXBwOnM="),
        ),
        form=(("scope", "openid"), ("login_hint", "alice")),
    )


def test_all_that_can_be_asked_for() -> None:
    request = asked(
        scope=["openid", "read"],
        id_token_hint="e30.e30.AA",
        binding_message="W4SCT",
        user_code="7",
        requested_expiry=60,
        acr_values=["a", "b"],
        resource=["https://r.example"],
        authorization_details=[{"type": "payment"}],
        client_notification_token="n-token",
        parameters={"client_secret": "y"},
    )
    assert request.form == (
        ("scope", "openid read"),
        ("resource", "https://r.example"),
        ("authorization_details", '[{"type":"payment"}]'),
        ("id_token_hint", "e30.e30.AA"),
        ("binding_message", "W4SCT"),
        ("user_code", "7"),
        ("requested_expiry", "60"),
        ("acr_values", "a b"),
        ("client_notification_token", "n-token"),
        ("client_secret", "y"),
    )


def test_a_notification_token_is_made_where_there_is_to_be_one() -> None:
    assert dict(asked(login_hint="alice", ping=True).form)["client_notification_token"] == (
        "cnJycnJycnJycnJycnJycnJycnJycnJycnJycnJycnI"
    )


@pytest.mark.parametrize("hints", [{}, {"login_hint": "a", "login_hint_token": "b"}])
def test_there_is_exactly_one_hint(hints: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="exactly one of login_hint, login_hint_token"):
        authenticate_backchannel(CLIENT, **hints)


@pytest.mark.parametrize("token", ["", "two words", "a" * 1025, "ü", "a\r\nb"])
def test_a_notification_token_that_is_none(token: str) -> None:
    with pytest.raises(LocalProtocolError, match="no bearer token") as got:
        authenticate_backchannel(CLIENT, login_hint="a", client_notification_token=token)
    assert got.value.endpoint is Endpoint.BACKCHANNEL_AUTHENTICATION


@pytest.mark.parametrize("token", ["a", "a" * 1024, "a=="])
def test_a_notification_token_that_is_one(token: str) -> None:
    form = asked(login_hint="a", client_notification_token=token).form
    assert dict(form)["client_notification_token"] == token


@pytest.mark.parametrize(("modes", "taken"), [(("poll",), False), (("poll", "ping"), True)])
def test_a_server_that_does_not_notify(modes: tuple[str, ...], taken: bool) -> None:
    server = Server(
        backchannel_authentication_endpoint="https://as.example/bc",
        backchannel_token_delivery_modes_supported=modes,
    )
    client = Client(server=server, client_id="app")
    if taken:
        asked(client, login_hint="a", ping=True)
        return
    with pytest.raises(LocalProtocolError, match="does not notify"):
        authenticate_backchannel(client, login_hint="a", ping=True)


@pytest.mark.parametrize(
    ("client", "signed", "wanted"),
    [
        pytest.param(CLIENT, None, False, id="no key"),
        pytest.param(signing(), None, False, id="nobody says that it is taken"),
        pytest.param(signing(server=taking("ES256")), None, True, id="the metadata say so"),
        pytest.param(signing(server=taking()), None, False, id="the metadata name nothing"),
        pytest.param(signing(server=taking("ES256")), False, False, id="the caller says no"),
        pytest.param(signing(), True, True, id="the caller says so"),
    ],
)
def test_when_it_is_signed(client: Client, signed: bool | None, wanted: bool) -> None:
    form = dict(asked(client, login_hint="alice", requested_expiry=60, signed=signed).form)
    if not wanted:
        assert form["login_hint"] == "alice"
        return
    assert form.keys() == {"client_id", "request"}
    claims = form["request"].split(".")[1]
    said = json.loads(urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    assert said.pop("jti")
    assert said == {
        "scope": "openid",
        "login_hint": "alice",
        "requested_expiry": "60",
        "iss": "app",
        "aud": "https://as.example",
        "client_id": "app",
        "iat": 1000,
        "nbf": 1000,
        "exp": 1300,
    }


@pytest.mark.parametrize(
    ("client", "reason"),
    [
        (CLIENT, "nothing to sign it with"),
        (signing(server=taking("RS256", "PS256")), "signed with ES256.*one of: RS256, PS256"),
        (
            signing(server=Server(backchannel_authentication_endpoint="https://as.example/bc")),
            "this server has none",
        ),
    ],
)
def test_what_cannot_be_signed(client: Client, reason: str) -> None:
    with pytest.raises(LocalProtocolError, match=reason) as got:
        asked(client, login_hint="a", signed=True)
    assert got.value.endpoint is Endpoint.BACKCHANNEL_AUTHENTICATION


def test_a_server_without_it() -> None:
    client = Client(server=Server(token_endpoint="https://as.example/token"), client_id="app")
    with pytest.raises(LocalProtocolError, match="no backchannel authentication endpoint"):
        authenticate_backchannel(client, login_hint="a")


def read(members: dict[str, Any], **arguments: Any) -> BackchannelAuthentication:
    flow = authenticate_backchannel(CLIENT, login_hint="alice", **arguments)
    flow.start(1000.0)
    body = json.dumps({name: value for name, value in members.items() if value is not ...})
    action = flow.receive(ResponseReceived(status=200, body=body.encode()), 1000.0)
    assert isinstance(action, Finished)
    return action.result


def test_the_answer() -> None:
    assert read(ANSWER, client_notification_token="n-token") == LOGIN
    without = read({**ANSWER, "interval": ...})
    assert (without.interval, without.client_notification_token) == (5.0, None)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"auth_req_id": ...}, "no auth_req_id"),
        ({"auth_req_id": {}}, "no auth_req_id"),
        ({"expires_in": ...}, "when it expires"),
        ({"expires_in": -1}, "when it expires"),
        ({"error": "unknown_user_id"}, "the server knows no such user"),
        ({"error": ["x"]}, "not a text"),
    ],
)
def test_an_answer_that_is_none(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(OAuth2Error, match=reason) as got:
        read({**ANSWER, **changes})
    assert got.value.endpoint is Endpoint.BACKCHANNEL_AUTHENTICATION


def test_polling_until_there_is_a_token() -> None:
    flow = poll_backchannel(CLIENT, LOGIN, parameters={"client_secret": "y"})
    assert flow.start(1000.0) == Wait(2.0, "the user has not decided yet")
    request = flow.receive(WaitElapsed(), 1002.0)
    assert isinstance(request, RequestToSend)
    assert request.form == (
        ("grant_type", CIBA),
        ("auth_req_id", LOGIN.auth_req_id),
        ("client_secret", "y"),
    )
    slow = ResponseReceived(status=400, body=b'{"error": "slow_down"}')
    assert flow.receive(slow, 1002.0) == Wait(7.0, "the server was asked too often")
    assert flow.receive(WaitElapsed(), 1009.0) == request
    done = flow.receive(ResponseReceived(status=200, body=b'{"access_token": "a"}'), 1009.0)
    assert isinstance(done, Finished)
    assert done.result == {"access_token": "a"}


def test_polling_has_an_end() -> None:
    with pytest.raises(LocalProtocolError, match="begin again with authenticate_back") as got:
        poll_backchannel(CLIENT, LOGIN).start(1118.0)
    assert got.value.error == "expired_token"


@pytest.mark.parametrize("authorization", ["Bearer n-token", "bearer n-token"])
def test_a_notification_is_redeemed_at_once(authorization: str) -> None:
    notification = read_notification(authorization, BODY)
    flow = redeem_notification(CLIENT, LOGIN, notification, parameters={"client_secret": "y"})
    request = flow.start(1010.0)
    assert isinstance(request, RequestToSend)
    assert request.form == (
        ("grant_type", CIBA),
        ("auth_req_id", LOGIN.auth_req_id),
        ("client_secret", "y"),
    )
    done = flow.receive(ResponseReceived(status=200, body=b'{"access_token": "a"}'), 1010.0)
    assert isinstance(done, Finished)
    assert done.result == {"access_token": "a"}


@pytest.mark.parametrize(
    ("authorization", "body", "reason"),
    [
        (None, BODY, "no bearer token"),
        ("", BODY, "no bearer token"),
        ("n-token", BODY, "no bearer token"),
        ("Basic n-token", BODY, "no bearer token"),
        ("Bearer ", BODY, "no bearer token"),
        ("Bearer a b", BODY, "no bearer token"),
        ("Bearer " + "a" * 1025, BODY, "no bearer token"),
        ("Bearer n-token", b"", "not JSON"),
        ("Bearer n-token", b"<html>", "not JSON"),
        ("Bearer n-token", b" " * 1_048_576, "not JSON"),
        ("Bearer n-token", b" " * 1_048_577, "longer than"),
        ("Bearer n-token", b"[" * 50_000, "nested too deeply"),
        ("Bearer n-token", b"[" * 100_000, "too much memory"),
        ("Bearer n-token", b"[]", "no auth_req_id"),
        ("Bearer n-token", b"{}", "no auth_req_id"),
        ("Bearer n-token", b'{"auth_req_id": 1}', "no auth_req_id"),
        ("Bearer n-token", b'{"auth_req_id": "a", "auth_req_id": "b"}', "repeats a member"),
    ],
)
def test_what_is_no_notification(authorization: str | None, body: bytes, reason: str) -> None:
    with pytest.raises(RemoteProtocolError, match=reason) as got:
        read_notification(authorization, body)
    assert got.value.error == "forged_notification"
    assert "n-token" not in str(got.value)


@pytest.mark.parametrize("outcome", ["access_token", "error"])
def test_pushed_tokens_are_not_taken(outcome: str) -> None:
    body = json.dumps({"auth_req_id": "a", outcome: "b"}).encode()
    with pytest.raises(RemoteProtocolError, match="delivery mode poll or ping") as got:
        read_notification("Bearer n-token", body)
    assert got.value.error == "unsupported_delivery_mode"


@pytest.mark.parametrize(
    ("login", "auth_req_id", "token"),
    [
        (LOGIN, LOGIN.auth_req_id, "other"),
        (LOGIN, "other", "n-token"),
        (LOGIN, "\ud800", "n-token"),
        (read(ANSWER), LOGIN.auth_req_id, "n-token"),
    ],
)
def test_a_forged_notification_causes_no_request(
    login: BackchannelAuthentication, auth_req_id: str, token: str
) -> None:
    notification = BackchannelNotification(auth_req_id=auth_req_id, client_notification_token=token)
    with pytest.raises(RemoteProtocolError, match="does not count") as got:
        redeem_notification(CLIENT, login, notification)
    assert got.value.error == "forged_notification"


def test_stored_and_read_back() -> None:
    document = json.loads(json.dumps(LOGIN.to_dict()))
    assert BackchannelAuthentication.from_dict(document) == LOGIN
    with pytest.raises(LocalProtocolError, match="its interval is no duration"):
        BackchannelAuthentication.from_dict({**document, "interval": 0})
    with pytest.raises(LocalProtocolError, match="begin again with authenticate_backchannel"):
        BackchannelAuthentication.from_dict({"version": 1})


def test_secrets_do_not_print() -> None:
    for value in (LOGIN, read_notification("Bearer n-token", BODY)):
        assert LOGIN.auth_req_id not in repr(value)
        assert "n-token" not in repr(value)
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(value)


VALUES: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just([])
)


@given(st.dictionaries(st.sampled_from(sorted(ANSWER)), VALUES, min_size=1))
def test_any_members_are_a_login_or_our_error(changes: dict[str, Any]) -> None:
    try:
        found = read({**ANSWER, **changes})
    except OAuth2Error:
        return
    assert BackchannelAuthentication.from_dict(found.to_dict()) == found


@given(st.none() | st.text() | st.just("Bearer n"), st.binary() | st.text().map(str.encode))
def test_whatever_is_posted_is_a_notification_or_our_error(
    authorization: str | None, body: bytes
) -> None:
    try:
        notification = read_notification(authorization, body)
        redeem_notification(CLIENT, LOGIN, notification)
    except OAuth2Error:
        return
    raise AssertionError("nobody can guess that")
