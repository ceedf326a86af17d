from __future__ import annotations

from typing import Any

import pytest

from oauth2_sansio import Server
from oauth2_sansio.dropin.settings import read_metadata
from oauth2_sansio_requests import OAuth2Session

SERVER = "https://as.example"


def test_what_belongs_to_the_metadata() -> None:
    given: dict[str, Any] = {
        "issuer": SERVER,
        "prompt": None,
        "response_type": "code",
        "deadline": 3,
        "url_allowed": bool,
        "allow_insecure_http": True,
        "code_challenge_method": "S256",
    }
    assert read_metadata(given, "X") == {"issuer": SERVER, "response_type": "code"}


def test_a_whole_server_and_what_counts_before_it() -> None:
    document = {"issuer": SERVER, "token_endpoint": f"{SERVER}/token", "own": 1}
    server = Server.from_metadata(document)
    given = {"server": server, "token_endpoint": f"{SERVER}/other"}
    assert read_metadata(given, "X") == {**document, "token_endpoint": f"{SERVER}/other"}


def test_unknown_names_are_all_named() -> None:
    with pytest.raises(TypeError, match=r"^X has no argument a, b$"):
        read_metadata({"b": 1, "issuer": SERVER, "a": 2}, "X")


@pytest.mark.parametrize("method", ["plain", "s256", ""])
def test_only_one_pkce_method(method: str) -> None:
    with pytest.raises(ValueError, match="S256"):
        read_metadata({"code_challenge_method": method}, "X")


def test_none_is_as_if_it_were_not_given() -> None:
    session = OAuth2Session("app", code_challenge_method=None, deadline=3)
    assert (session.code_challenge_method, session.deadline) == (None, 3)
    assert "code_challenge_method" not in vars(session)
