"""The story of the demo notices what goes wrong, and shows no secret."""

from __future__ import annotations

from dataclasses import replace

import pytest

from oauth2_sansio.command_line.demo import run_demo
from oauth2_sansio.command_line.diagram import sequence_diagram
from oauth2_sansio.command_line.over_urllib import UrllibSender
from oauth2_sansio.command_line.recording import CallbackBrought, Exchanged, Party, Step
from oauth2_sansio.command_line.table import summary, table
from oauth2_sansio.events import Endpoint
from oauth2_sansio.testing import AuthorizationServer, Misbehaviour

SEND = UrllibSender().send


def broken_checks(steps: list[Step]) -> list[str]:
    return [check.what for step in steps for check in step.checks if not check.held]


def secrets_of(server: AuthorizationServer) -> set[str]:
    """Return all that the client has sent and the server has answered that is secret."""
    names = {"code", "code_verifier", "refresh_token", "token", "state", "code_challenge"}
    found = {value for entry in server.log for name, value in entry.parameters if name in names}
    for entry in server.log:
        scheme, _, credentials = (entry.request.header("Authorization") or "").partition(" ")
        found |= {credentials} if scheme else set()
    return found


def test_the_whole_story() -> None:
    servers: list[AuthorizationServer] = []
    issuer, steps = run_demo(SEND, servers.append)
    assert broken_checks(steps) == []
    assert [step.title for step in steps] == [
        "discovery",
        "authorization",
        "code for tokens",
        "API call",
        "expiry",
        "refresh",
        "replay",
        "introspection",
        "new login",
        "revocation",
    ]
    assert all(step.held for step in steps)
    assert servers[0].issuer == issuer
    sent = [each for step in steps for each in step.happened if isinstance(each, Exchanged)]
    assert len(sent) == servers[0].count()
    assert {each.sender for each in sent} == {Party.USER, Party.CLIENT}


def test_no_secret_is_shown() -> None:
    servers: list[AuthorizationServer] = []
    _, steps = run_demo(SEND, servers.append)
    secrets = secrets_of(servers[0])
    assert len(secrets) > 12
    shown = table(steps) + summary(steps) + sequence_diagram(steps) + repr(steps)
    assert not [secret for secret in secrets if secret in shown]


@pytest.mark.parametrize(
    ("misbehaviour", "endpoint", "complaint"),
    [
        (Misbehaviour.METADATA_WRONG_ISSUER, None, "issuer_mismatch"),
        (Misbehaviour.METADATA_WITHOUT_S256, None, "PKCE with S256 is offered"),
        (Misbehaviour.ISSUER_MIXUP, None, "with its issuer (RFC 9207)"),
        (Misbehaviour.CALLBACK_WRONG_STATE, None, "with our state"),
        (Misbehaviour.HTML_PAGE_IN_200, Endpoint.AUTHORIZATION, "sent the browser nowhere"),
        (Misbehaviour.DROP_REQUEST, Endpoint.AUTHORIZATION, "no response came"),
        (Misbehaviour.DROP_ANSWER, None, "no response came"),
        (Misbehaviour.EXPIRES_IN_OBJECT, None, "the token expires in 3600 seconds"),
        (Misbehaviour.RESOURCE_REFUSES_TOKEN, None, "the API lets the client in"),
        (Misbehaviour.RESOURCE_401_WITHOUT_CHALLENGE, None, "the API refuses it: invalid_token"),
        (Misbehaviour.HTML_PAGE_IN_200, Endpoint.RESOURCE, "it knows the user: alice"),
        (Misbehaviour.MISSING_REFRESH_TOKEN, None, "there is a refresh token too"),
        (Misbehaviour.INTROSPECTION_ACTIVE_AS_TEXT, None, "`active`"),
        (Misbehaviour.REVOCATION_503, None, "server_error"),
        (Misbehaviour.ECHO_SECRET_IN_DESCRIPTION, Endpoint.TOKEN, "another PKCE verifier"),
    ],
)
def test_what_goes_wrong_is_noticed(
    misbehaviour: Misbehaviour, endpoint: Endpoint | None, complaint: str
) -> None:
    def misbehave(server: AuthorizationServer) -> None:
        server.misbehave(misbehaviour, endpoint=endpoint)

    _, steps = run_demo(SEND, misbehave)
    assert [what for what in broken_checks(steps) if complaint in what], broken_checks(steps)


def test_a_server_that_does_not_rotate() -> None:
    def prepare(server: AuthorizationServer) -> None:
        server.settings = replace(server.settings, rotate_refresh_tokens=False)

    _, steps = run_demo(SEND, prepare)
    assert broken_checks(steps)[:3] == [
        "the refresh token was rotated",
        "the used refresh token is refused",
        "and the login is over for everybody",
    ]
    assert all(step.checks for step in steps), "a check that does not hold ends nothing"


@pytest.mark.parametrize("misbehaviour", Misbehaviour)
def test_any_misbehaviour_gives_a_table_without_secrets(misbehaviour: Misbehaviour) -> None:
    servers: list[AuthorizationServer] = []

    def misbehave(server: AuthorizationServer) -> None:
        servers.append(server)
        server.misbehave(misbehaviour)

    _, steps = run_demo(SEND, misbehave)
    assert steps[0].checks
    shown = table(steps) + sequence_diagram(steps)
    assert not [secret for secret in secrets_of(servers[0]) if secret in shown]
    assert shown.isascii()
    assert all(len(line) <= 96 for line in table(steps).splitlines())


def test_the_callback_is_hidden_in_its_repr() -> None:
    assert repr(CallbackBrought("http://127.0.0.1/?code=x")) == "CallbackBrought()"
