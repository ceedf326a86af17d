"""The comparison with other libraries: it runs, and sees who loses a login."""

from __future__ import annotations

import pytest

from benchmarks import reliability
from benchmarks.programs import LIBRARIES
from benchmarks.reliability import Fault, login, main


@pytest.mark.parametrize("name", ["ours_with_store", "ours_without_store", "authlib_over_requests"])
@pytest.mark.parametrize("fault", [Fault.ANSWER_LOST, Fault.SAVING_FAILS], ids=str)
def test_who_keeps_a_login(monkeypatch: pytest.MonkeyPatch, name: str, fault: Fault) -> None:
    monkeypatch.setattr(reliability, "BETWEEN_TRIES", 0 if fault is Fault.SAVING_FAILS else 1.1)
    library = LIBRARIES[name]
    with login(library, grace=60) as one:
        reliability._refresh(library, one, fault)
        assert one.server.count(grant_type="refresh_token") >= 1
        assert one.is_lost == (fault is Fault.SAVING_FAILS and name.startswith("authlib"))


def test_the_table_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    few = [
        "--threads",
        "4",
        "--rounds",
        "1",
        "--processes",
        "2",
        "--starts",
        "1",
        "--refreshes",
        "2",
    ]
    assert main([*few, "--only", "ours_with_store"]) == 0
    assert capsys.readouterr().out.splitlines()[2:] == [
        "oauth2_sansio, store=",
        "  4 threads: 0 of 1 lost, 1 requests each",
        "  2 processes: 0 of 1 lost, 1 requests each",
        "  refreshes with faults: 0 of 2 lost {}",
        "",
    ]
