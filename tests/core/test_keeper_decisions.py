from __future__ import annotations

from dataclasses import FrozenInstanceError, fields

import pytest

from oauth2_sansio.flow import finished
from oauth2_sansio.keeper_decisions import AwaitRefresh, Decision, RefreshIt, SaveIt, UseToken
from oauth2_sansio.tokens import OAuth2Token

TOKEN = OAuth2Token(access_token="tOp-sEcret", refresh_token="tOp-sEcret")


@pytest.mark.parametrize(
    "decision",
    [
        UseToken(TOKEN),
        RefreshIt(7, finished(lambda _now: TOKEN), TOKEN),
        AwaitRefresh(7),
        SaveIt(7, TOKEN, TOKEN),
    ],
)
def test_a_decision_shows_no_secret_and_does_not_change(decision: Decision) -> None:
    assert "tOp" not in repr(decision)
    with pytest.raises(FrozenInstanceError):
        setattr(decision, fields(decision)[0].name, None)
