"""Redirects: a token goes no further than to the server that it was sent to."""

from __future__ import annotations

import pytest

from oauth2_sansio.errors import OAuth2Error
from tests.interop.sessions import Kind

from .site import Answer, Site, serving

GOOD = {"access_token": "the-t0ken", "token_type": "Bearer", "expires_in": 3600}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("placement", ["header", "body", "uri"])
@pytest.mark.parametrize("whose", ["the session", "an auth object"])
def test_no_token_crosses_to_another_origin(
    kind: Kind, site: Site, status: int, placement: str, whose: str
) -> None:
    auth = None if whose == "the session" else kind.auth_class(GOOD, placement)
    is_refused = False
    with serving() as other:
        api = site.answer("/api", Answer(status, headers={"Location": f"{other.url}/caught"}))
        try:
            with (
                kind.session(token=GOOD, token_placement=placement) as session,
                kind.plain() as plain,
            ):
                if auth is None:
                    session.post(api, **kind.following)
                else:
                    plain.post(api, auth=auth, **kind.following)
        except OAuth2Error as error:
            assert "redirect" in str(error)
            is_refused = True
    if is_refused:
        assert placement == "body"  # where it would go along
    else:
        assert len(other.requests) == 1
    assert "the-t0ken" not in "".join(each.text for each in other.requests)
    # trio's client refuses at once what would follow a redirect with the token in its body.
    if not (kind.adapter == "oauth2_sansio_trio" and placement == "body"):
        assert "the-t0ken" in site.requests[0].text


def test_a_token_in_a_body_is_sent_again_where_it_was_refused(kind: Kind, site: Site) -> None:
    api = site.answer(
        "/api",
        Answer(401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'}),
        Answer(200, {"fine": True}),
    )
    endpoint = site.answer("/token", Answer(200, GOOD))
    stale = {**GOOD, "access_token": "stale", "refresh_token": "r"}
    with kind.session(
        "app", token=stale, token_placement="body", token_endpoint=endpoint
    ) as session:
        assert session.post(api).json() == {"fine": True}
    assert [each.form for each in site.seen("/api")] == [
        [("access_token", "stale")],
        [("access_token", "the-t0ken")],
    ]
