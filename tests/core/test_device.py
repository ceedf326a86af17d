"""The device grant: what goes out, what comes back, and what is shown to nobody."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio import Client, ClientSecretBasic, Server
from oauth2_sansio.device import (
    DEVICE_CODE,
    DeviceAuthorization,
    authorize_device,
    poll_device,
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

CLIENT = Client(
    server=Server(
        token_endpoint="https://as.example/token",
        device_authorization_endpoint="https://as.example/device_authorization",
    ),
    client_id="tv",
)
# The example of RFC 8628 section 3.2.
ANSWER = {
    "device_code": "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS",
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://example.com/device",
    "verification_uri_complete": "https://example.com/device?user_code=WDJB-MJHT",
    "expires_in": 1800,
    "interval": 5,
}
DEVICE = DeviceAuthorization(
    device_code="GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS",
    user_code="WDJB-MJHT",
    verification_uri="https://example.com/device",
    verification_uri_complete="https://example.com/device?user_code=WDJB-MJHT",
    expires_at=2800.0,
    interval=5.0,
)


def read(members: dict[str, Any], client: Client = CLIENT) -> DeviceAuthorization:
    flow = authorize_device(client)
    flow.start(1000.0)
    body = json.dumps({name: value for name, value in members.items() if value is not ...})
    action = flow.receive(ResponseReceived(status=200, body=body.encode()), 1000.0)
    assert isinstance(action, Finished)
    return action.result


def test_the_request() -> None:
    flow = authorize_device(
        CLIENT, scope=["a", "b"], resource=["https://r.example"], parameters={"client_secret": "y"}
    )
    assert flow.start(0.0) == RequestToSend(
        endpoint=Endpoint.DEVICE_AUTHORIZATION,
        url="https://as.example/device_authorization",
        headers=(
            ("Accept", "application/json"),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ),
        form=(
            ("scope", "a b"),
            ("resource", "https://r.example"),
            ("client_secret", "y"),
            ("client_id", "tv"),
        ),
    )


def test_a_server_without_device_login() -> None:
    client = Client(server=Server(token_endpoint="https://as.example/token"), client_id="tv")
    with pytest.raises(LocalProtocolError, match="no device authorization endpoint"):
        authorize_device(client)


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        pytest.param({}, {}, id="all of it"),
        pytest.param(
            {"verification_uri_complete": ...}, {"verification_uri_complete": None}, id="short"
        ),
        pytest.param(
            {"verification_uri": ..., "verification_url": "https://example.com/draft"},
            {"verification_uri": "https://example.com/draft"},
            id="the name of a draft",
        ),
        pytest.param(
            {"verification_uri": "http://127.0.0.1:8/x"},
            {"verification_uri": "http://127.0.0.1:8/x"},
            id="loopback",
        ),
        pytest.param({"user_code": "x"}, {"user_code": "x"}, id="the shortest code"),
        pytest.param({"user_code": "x" * 100}, {"user_code": "x" * 100}, id="the longest code"),
    ],
)
def test_the_answer(changes: dict[str, Any], wanted: dict[str, Any]) -> None:
    found = read({**ANSWER, **changes})
    assert found.to_dict() == {**DEVICE.to_dict(), **wanted}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"user_code": ...}, "no user_code"),
        ({"user_code": ""}, "no user_code"),
        ({"user_code": 7}, "no user_code"),
        ({"user_code": "a\nb"}, "no user_code"),
        ({"user_code": "\x1b[2J"}, "no user_code"),
        ({"user_code": "x" * 101}, "no user_code"),
        ({"device_code": ...}, "no device_code"),
        ({"verification_uri": ...}, "no verification_uri"),
        ({"verification_uri": None}, "no verification_uri"),
        ({"verification_uri": ["https://example.com"]}, "no verification_uri"),
        ({"verification_uri": "javascript:alert(1)"}, "verification_uri"),
        ({"verification_uri": "http://example.com/device"}, "plain http"),
        ({"verification_uri": "https://user@example.com/"}, "verification_uri"),
        ({"verification_uri_complete": "file:///etc/passwd"}, "verification_uri"),
        ({"verification_uri_complete": 5}, "verification_uri"),
    ],
)
def test_what_is_not_shown_to_a_user(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(RemoteProtocolError, match=reason) as got:
        read({**ANSWER, **changes})
    assert got.value.endpoint is Endpoint.DEVICE_AUTHORIZATION


def test_plain_http_is_a_setting() -> None:
    server = Server(
        device_authorization_endpoint="http://as.example/device", allow_insecure_http=True
    )
    page = "http://as.example/page"
    found = read({**ANSWER, "verification_uri": page}, Client(server=server, client_id="tv"))
    assert found.verification_uri == page


def test_polling_until_there_is_a_token() -> None:
    client = Client(server=CLIENT.server, client_id="tv", auth=ClientSecretBasic("s"))
    flow = poll_device(client, DEVICE, parameters={"client_secret": "y"})
    assert flow.start(1000.0) == Wait(5.0, "the user has not decided yet")
    request = flow.receive(WaitElapsed(), 1005.0)
    assert isinstance(request, RequestToSend)
    assert request.header("Authorization") == "Basic dHY6cw=="
    assert request.form == (
        ("grant_type", DEVICE_CODE),
        ("device_code", DEVICE.device_code),
        ("client_secret", "y"),
    )
    body = b'{"error": "slow_down"}'
    assert flow.receive(ResponseReceived(status=400, body=body), 1005.0) == Wait(
        10.0, "the server was asked too often"
    )
    assert flow.receive(WaitElapsed(), 1015.0) == request
    done = flow.receive(ResponseReceived(status=200, body=b'{"access_token": "a"}'), 1015.0)
    assert isinstance(done, Finished)
    assert done.result == {"access_token": "a"}


def test_polling_has_an_end() -> None:
    with pytest.raises(LocalProtocolError, match="before the device code expires") as got:
        poll_device(CLIENT, DEVICE).start(2795.0)
    assert got.value.error == "expired_token"


def test_stored_and_read_back() -> None:
    document = json.loads(json.dumps(DEVICE.to_dict()))
    assert DeviceAuthorization.from_dict(document) == DEVICE
    for changes in ({"interval": 0}, {"interval": -1.0}):
        with pytest.raises(LocalProtocolError, match="its interval is no duration"):
            DeviceAuthorization.from_dict({**document, **changes})
    with pytest.raises(LocalProtocolError, match="begin again with authorize_device"):
        DeviceAuthorization.from_dict({"version": 1})


def test_secrets_do_not_print() -> None:
    assert DEVICE.device_code not in repr(DEVICE)
    assert DEVICE.user_code not in repr(DEVICE)
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(DEVICE)


VALUES: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just([])
)


@given(st.dictionaries(st.sampled_from(sorted(ANSWER)), VALUES, min_size=1))
def test_any_members_are_a_login_or_our_error(changes: dict[str, Any]) -> None:
    try:
        found = read({**ANSWER, **changes})
    except OAuth2Error:
        return
    assert DeviceAuthorization.from_dict(found.to_dict()) == found
