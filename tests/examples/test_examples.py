"""Each example runs as its reader would run it, and prints what it should."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

TOKEN = "<OAuth2Token, expires_at=N>"
WITH_REFRESH_TOKEN = "<OAuth2Token, expires_at=N, with a refresh token>"
SAVED = f"saved: {WITH_REFRESH_TOKEN} instead of the one with this: refresh_token"
REFUSED = (
    "a wrong password: invalid_grant: The name or the password is wrong. (token endpoint, "
    "status 400); the code or refresh token is not valid (any more): send the user to authorize "
    "again"
)

STACKS = ("urllib", "urllib3", "aiohttp", "niquests", "httpcore", "asyncio_h11")

PRINTED = {
    **{f"stack_{name}": [f"token: {TOKEN}", "active: True"] for name in STACKS},
    "strict_authorization_code": [f"token: {WITH_REFRESH_TOKEN}", "scope: read"],
    "strict_client_credentials": [f"token: {TOKEN}", "expired: False"],
    "strict_custom_grant": [f"token: {TOKEN}", "scope: doors"],
    "strict_discovery": [
        "token endpoint: http://127.0.0.1:N/token",
        "PKCE methods: ('S256',)",
        (
            "grant types: ('authorization_code', 'refresh_token', 'client_credentials', 'password', "
            "'urn:ietf:params:oauth:grant-type:jwt-bearer', "
            "'urn:ietf:params:oauth:grant-type:saml2-bearer', "
            "'urn:ietf:params:oauth:grant-type:device_code', 'urn:openid:params:grant-type:ciba', "
            "'urn:ietf:params:oauth:grant-type:token-exchange', 'implicit')"
        ),
        f"token: {TOKEN}",
    ],
    "strict_implicit": [f"token: {TOKEN}"],
    "strict_introspect": ["active: True", "scope: read", "client: app", "an unknown one: False"],
    "strict_password": [f"token: {TOKEN}", REFUSED],
    "strict_refresh": [
        "expired in an hour: True",
        "the refresh token was rotated: True",
        "sent again: invalid_grant",
    ],
    "strict_revoke": ["before: <Introspection active=True>", "after: <Introspection active=False>"],
    "dropin_authorization_code": [f"token: {WITH_REFRESH_TOKEN}", "the API knows: alice"],
    "dropin_client_credentials": [f"token: {TOKEN}", "the API says: 200"],
    "dropin_custom_grant": [f"token: {TOKEN}", "scope: doors"],
    "dropin_discovery": ["token endpoint: http://127.0.0.1:N/token", f"token: {TOKEN}"],
    "dropin_implicit": [f"token: {TOKEN}", "the API says: 200"],
    "dropin_introspect": ["active: True", "scope: read"],
    "dropin_password": [f"token: {TOKEN}", REFUSED],
    "dropin_refresh": [SAVED, SAVED, "the API says: 200"],
    "device_login": [
        "go to http://127.0.0.1:N/device and type in: XXXX-XXXX",
        f"token: {TOKEN}",
    ],
    "bound_token": ["type: DPoP", "the API says: 200", "to a thief, with another key: 401"],
    "trio_client": [f"token: {TOKEN}", "the API says: 200", "token requests: 2"],
    "dropin_revoke": ["revoked: 200", "the session's token: None"],
}


def need(name: str) -> None:
    # niquests puts a urllib3 of its own in the place of the one that requests is made for, so the
    # other tests must not run beside it. It has an environment of its own: `check.py stacks`.
    if name == "stack_niquests" and find_spec("niquests") is None:
        pytest.skip("niquests is not installed: run `python3 .ci/check.py stacks`")


def _source(name: str) -> str:
    return (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")


def test_no_example_is_forgotten() -> None:
    found = {path.stem for path in EXAMPLES.glob("*.py")}
    assert found == {*PRINTED, "test_my_login"}


def test_both_vocabularies_have_the_same_operations() -> None:
    strict, dropin = (
        {name.removeprefix(kind) for name in PRINTED if name.startswith(kind)}
        for kind in ("strict_", "dropin_")
    )
    assert strict == dropin


def test_the_index_lists_every_example() -> None:
    index = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"\]\((\w+)\.py\)", index))
    assert listed == {*PRINTED, "test_my_login"}


@pytest.mark.parametrize("name", PRINTED)
def test_what_an_example_prints(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    need(name)
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    printed = capsys.readouterr().out
    shown = re.sub(r"(127\.0\.0\.1:|expires_at=)\d+", r"\1N", printed)
    shown = re.sub(r"\b[A-Z]{4}-[A-Z]{4}\b", "XXXX-XXXX", shown)
    assert shown.splitlines() == PRINTED[name]


@pytest.mark.parametrize("name", PRINTED)
def test_an_example_says_how_to_run_it_and_is_short(name: str) -> None:
    source = _source(name)
    assert f"Run it: python examples/{name}.py\n" in source
    assert len(source.splitlines()) <= 120


@pytest.mark.parametrize("name", ["strict_password", "dropin_password"])
def test_the_legacy_ways_are_marked(name: str) -> None:
    assert "A legacy way: RFC 9700" in _source(name)
    assert "A legacy way: RFC 9700" in _source(name.replace("password", "implicit"))


def test_the_driver_is_the_same_in_all_strict_examples() -> None:
    drivers = {
        re.split(r"^# The (?=driver|server)", _source(name), flags=re.MULTILINE)[1]
        for name in PRINTED
        if name.startswith("strict_")
    }
    assert len(drivers) == 1


def test_the_flow_test_without_a_network() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_my_login.py"],
        cwd=EXAMPLES,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed" in done.stdout
