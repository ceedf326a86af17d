"""What a thread or task is at, as whatever it calls meanwhile finds it."""

from __future__ import annotations

from contextvars import copy_context

import pytest

from oauth2_sansio.errors import LocalProtocolError
from oauth2_sansio.keeper import TokenKeeper
from oauth2_sansio.tokens import OAuth2Token
from oauth2_sansio.waiting.under_way import UnderWay, is_own, own_token

NEW = OAuth2Token(access_token="B")


def keeper() -> TokenKeeper:
    return TokenKeeper(None, lambda _token: pytest.fail("nothing is renewed here"))


def test_a_token_is_there_for_oneself_once_it_was_fetched() -> None:
    one, other = keeper(), keeper()
    with UnderWay(other, 1, OAuth2Token(access_token="A")), UnderWay(one, 1) as mark:
        assert [is_own(one, 1), is_own(one, 2), is_own(other, 1)] == [True, False, True]
        with pytest.raises(LocalProtocolError, match="asks for this very token"):
            own_token(one, 1)
        mark.token = NEW
        assert own_token(one, 1) is NEW
        assert own_token(one, 2) is None
    assert not is_own(one, 1)
    assert own_token(one, 1) is None


def test_who_is_thrown_away_in_another_context_has_no_mark_there() -> None:
    one = keeper()
    mark = UnderWay(one, 1)
    begun = copy_context()
    begun.run(mark.__enter__)
    mark.__exit__()
    assert begun.run(is_own, one, 1)
    assert not is_own(one, 1)
