from __future__ import annotations

import pytest

from oauth2_sansio.testing import IssuedToken, TokenFamily, TokenKind
from oauth2_sansio.testing.ledger import AuthorizationCode, Ledger

FAMILY = TokenFamily(client_id="app", subject="alice", scope="read")


def _token(value: str = "one", family: TokenFamily = FAMILY) -> IssuedToken:
    return IssuedToken(
        value=value,
        kind=TokenKind.REFRESH,
        family=family,
        scope="read",
        resources=(),
        audiences=(),
        issued_at=100.0,
        expires_at=200.0,
    )


@pytest.mark.parametrize(("now", "active"), [(100.0, True), (199.9, True), (200.0, False)])
def test_a_token_counts_until_it_expires(now: float, active: bool) -> None:
    assert Ledger().is_active(_token(), now) is active


def test_a_spent_token_does_not_count() -> None:
    ledger = Ledger()
    assert not ledger.is_spent(_token())
    assert ledger.spend_token(_token(), 110.0) == 110.0
    assert ledger.spend_token(_token(), 120.0) == 110.0
    assert ledger.is_spent(_token())
    assert not ledger.is_active(_token(), 130.0)
    assert ledger.is_active(_token("two"), 130.0)


def test_a_revoked_token_does_not_count() -> None:
    ledger = Ledger()
    ledger.revoke(_token())
    assert not ledger.is_active(_token(), 100.0)
    assert ledger.is_active(_token("two"), 100.0)


def test_a_family_is_revoked_as_a_whole() -> None:
    ledger = Ledger()
    family = TokenFamily(client_id="app", subject="alice", scope="read")
    family.revoked = True
    assert not ledger.is_active(_token("one", family), 100.0)
    assert ledger.is_active(_token("one"), 100.0)


def test_what_is_noted_is_found() -> None:
    ledger = Ledger()
    code = AuthorizationCode(
        value="c", family=FAMILY, redirect_uri=None, challenge="x", expires_at=1.0
    )
    ledger.add_code(code)
    ledger.add_token(_token())
    assert (ledger.code("c"), ledger.code("one")) == (code, None)
    assert (ledger.token("one"), ledger.token("c")) == (_token(), None)
    assert [ledger.spend_code(code) for _ in range(3)] == [True, False, False]


def test_no_secret_is_shown() -> None:
    code = AuthorizationCode(
        value="s3cret", family=FAMILY, redirect_uri=None, challenge="s3cret", expires_at=1.0
    )
    assert "s3cret" not in repr((code, _token("s3cret")))
