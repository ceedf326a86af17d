from __future__ import annotations

from typing import Any

import pytest

from oauth2_sansio import Endpoint, LocalProtocolError, RequestToSend
from oauth2_sansio.dropin.amending import Headers, amend, header_pairs, read_amended

REQUEST = RequestToSend(
    endpoint=Endpoint.TOKEN,
    url="https://as.example/token",
    headers=(("Accept", "application/json"),),
    form=(("a", "1"),),
)


def test_nothing_changed() -> None:
    assert amend(REQUEST, lambda url, headers, body: (url, headers, body), "it") == REQUEST


def test_all_changed() -> None:
    def hook(url: str, headers: Headers, body: str) -> tuple[str, Headers, str]:
        headers["X-Own"] = "1"  # in place
        headers["Content-Length"] = "999"  # the HTTP library knows better
        return f"{url}?b=2", headers, f"{body}&c=\u00fc"

    amended = amend(REQUEST, hook, "it")
    assert amended.url == "https://as.example/token?b=2"
    assert amended.headers == (("Accept", "application/json"), ("X-Own", "1"))
    assert amended.body == "a=1&c=\u00fc".encode()
    assert REQUEST.headers == (("Accept", "application/json"),)


@pytest.mark.parametrize(("body", "expected"), [(None, b""), ("", b""), (b"x", b"x"), ("x", b"x")])
def test_bodies(body: Any, expected: bytes) -> None:
    assert amend(REQUEST, lambda url, headers, _: (url, headers, body), "it").body == expected


def test_a_get_stays_without_a_body() -> None:
    get = RequestToSend(endpoint=Endpoint.TOKEN, method="GET", url="https://as.example/token?a=1")
    assert amend(get, lambda url, headers, body: (f"{url}&b", headers, body), "it").body == b""
    with pytest.raises(LocalProtocolError, match="it gives a body to a GET"):
        amend(get, lambda url, headers, _: (url, headers, "x"), "it")


@pytest.mark.parametrize("returned", [None, "uhb", ("u", {}), ("u", {}, "b", 1), ("u", [], "b")])
def test_what_has_to_come_back(returned: Any) -> None:
    with pytest.raises(TypeError, match=r"^it has to return url, headers, body$"):
        read_amended(returned, "it")
    assert read_amended(["u", {}, "b"], "it") == ("u", {}, "b")


def test_headers_as_texts() -> None:
    assert header_pairs(None) == ()
    assert header_pairs({b"X": b"\xfc", "Y": "1", "Host": "h"}, without=frozenset({"host"})) == (
        ("X", "\u00fc"),
        ("Y", "1"),
    )
    with pytest.raises(TypeError, match="'X-Number' has to be a text, not a int") as caught:
        header_pairs({"X-Number": 314159})
    assert "314159" not in str(caught.value)
