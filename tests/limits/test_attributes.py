"""How many attributes an object of ours has that is a session or a client of an HTTP library.

CPython reads the attributes of an object quickly while there are fewer than 30, those of the
library and those of the user's own subclass included.
"""

from __future__ import annotations

from oauth2_sansio_requests import OAuth2Session

MOST = 28  # two are left for the user


def test_a_session_has_few_attributes() -> None:
    session = OAuth2Session(
        "a client",
        "a secret",
        scope="email",
        redirect_uri="https://client.example/callback",
        token_endpoint="https://server.example/token",
        token={"access_token": "a token"},
        update_token=print,
        code_challenge_method="S256",
    )

    assert len(vars(session)) <= MOST, sorted(vars(session))
