"""The table, the diagram, and the words in them."""

from __future__ import annotations

import pytest

from oauth2_sansio.command_line.diagram import sequence_diagram
from oauth2_sansio.command_line.recording import (
    CallbackBrought,
    Check,
    Exchanged,
    Party,
    Step,
    TimePassed,
)
from oauth2_sansio.command_line.table import summary, table
from oauth2_sansio.command_line.wording import brought, json_members, outcome, received, sent
from oauth2_sansio.events import Endpoint, RequestFailed, RequestToSend, ResponseReceived

REFRESH = RequestToSend(
    endpoint=Endpoint.TOKEN,
    url="http://127.0.0.1/token?x=",
    headers=(("Authorization", "Basic dXNlcjpwYXNzd29yZA=="),),
    form=(("grant_type", "refresh_token"), ("refresh_token", "old-secret")),
)
API = RequestToSend(endpoint=Endpoint.RESOURCE, method="GET", url="http://127.0.0.1/api/me")
RENEWED = ResponseReceived(
    status=200,
    body=b'{"access_token": "new-secret", "expires_in": 3600, "scope": "a;b", "more": 1}',
)
CHALLENGED = ResponseReceived(
    status=401, headers=(("WWW-Authenticate", 'Basic, Bearer error="invalid_token"'),)
)
LOST = RequestFailed(TimeoutError("with old-secret"))

STEPS = [
    Step(
        "refresh",
        [
            TimePassed(60.0),
            Exchanged(Party.CLIENT, REFRESH, RENEWED),
            Exchanged(Party.CLIENT, API, CHALLENGED),
        ],
        [Check("it is new", held=True), Check("a text that is longer than one line of it", False)],
    ),
    Step("a title of two lines", [CallbackBrought("http://127.0.0.1/cb?code=x&iss=me#")]),
]

TABLE = """\
 #  step             sent and received              checked
--  ---------------  -----------------------------  --------------------------------------------
 1  refresh          POST token: 200                ok  it is new
                     GET API: 401 invalid_token     NO  a text that is longer than one line of
                                                        it
 2  a title of two                                  --  not reached
    lines"""

DIAGRAM = """\
sequenceDiagram
    actor User as User with a browser
    participant Client as Client (oauth2_sansio)
    participant Server as Authorization server
    participant API as Protected API
    Note over User,API: 1. refresh - a check did not hold
    Note over User,API: 60 seconds pass (the clock is moved)
    Client->>Server: POST /token x= grant_type=refresh_token refresh_token=*** (Basic ***)
    Server-->>Client: 200 access_token=*** expires_in=3600 scope=a#59;b
    Client->>API: GET /api/me
    API-->>Client: 401 invalid_token
    Note over User,API: 2. a title of two lines - not reached
    User->>Client: GET /cb code=*** iss=me
"""


def test_table() -> None:
    assert table(STEPS) == TABLE


def test_diagram() -> None:
    assert sequence_diagram(STEPS) == DIAGRAM


def test_a_diagram_of_what_held() -> None:
    step = Step("one", checks=[Check("it is so", held=True)])
    assert sequence_diagram([step]).endswith("\n    Note over User,API: 1. one\n")


@pytest.mark.parametrize(
    ("steps", "line"),
    [
        (STEPS, "2 steps, 2 checks: 1 did not hold; 1 steps were not reached."),
        (
            [Step("one", checks=[Check("it is so", held=True)])],
            "1 steps, 1 checks: all held.",
        ),
    ],
)
def test_summary(steps: list[Step], line: str) -> None:
    assert summary(steps) == line


def test_what_was_sent() -> None:
    assert sent(API) == "GET /api/me"
    asked = RequestToSend(
        endpoint=Endpoint.AUTHORIZATION,
        method="GET",
        url="http://127.0.0.1/authorize?client_id=app&state=secret",
    )
    assert sent(asked) == "GET /authorize client_id=app state=***"


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (LOST, "no response (TimeoutError)"),
        (ResponseReceived(status=204), "204"),
        (CHALLENGED, "401 invalid_token"),
        (ResponseReceived(status=400, body=b'{"error": "invalid_grant"}'), "400 invalid_grant"),
        (ResponseReceived(status=400, body=b'{"error": "got old-secret"}'), "400 got [redacted]"),
        (ResponseReceived(status=400, body=b'{"error": {"code": 1}}'), "400"),
        (ResponseReceived(status=200, body=b'["old-secret"]'), "200"),
        (ResponseReceived(status=200, body=b"[" * 100_000), "200"),
        (ResponseReceived(status=200, body=b"\xff"), "200"),
    ],
)
def test_outcome(event: ResponseReceived | RequestFailed, shown: str) -> None:
    assert outcome(REFRESH, event) == shown
    assert received(REFRESH, event) == shown


def test_what_came_back_is_plain_and_short() -> None:
    strange = '{"scope": "a\\u202eb\\u001b", "issuer": "%s", "active": true}' % ("x y" * 50)
    response = ResponseReceived(status=200, body=strange.encode())
    shown = received(API, response)
    assert shown == f"200 scope=a\\u202eb\\x1b issuer={('x y' * 50)[:57]}... active=true"


def test_members() -> None:
    assert json_members(ResponseReceived(status=200, body=b'{"a": 1}')) == {"a": 1}
    assert json_members(ResponseReceived(status=200, body=b"[1]")) == {}


def test_what_a_browser_brought() -> None:
    url = "http://127.0.0.1/cb?code=abcde&state=&iss=http%3A%2F%2Fabcde%2F&error=denied"
    assert brought(url) == "GET /cb code=*** state=*** iss=http://[redacted]/ error=denied"
