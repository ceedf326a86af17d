from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio_trio import LocalProtocolError
from oauth2_sansio_trio.urls import (
    Address,
    Origin,
    Parameters,
    add_parameters,
    form_encoded,
    read_url,
    without_query,
)


@pytest.mark.parametrize(
    ("url", "origin", "host_header", "target"),
    [
        ("http://a.example", ("http", "a.example", 80), "a.example", "/"),
        ("HTTPS://A.Example/P", ("https", "a.example", 443), "a.example", "/P"),
        ("https://a.example:443/", ("https", "a.example", 443), "a.example", "/"),
        ("https://a.example:8443?q=1#f", ("https", "a.example", 8443), "a.example:8443", "/?q=1"),
        ("http://[::1]:80/x", ("http", "::1", 80), "[::1]", "/x"),
        ("http://[::1]:81/x", ("http", "::1", 81), "[::1]:81", "/x"),
        ("http://a/%C3%A4 ä?q=ö", ("http", "a", 80), "a", "/%C3%A4%20%C3%A4?q=%C3%B6"),
        ("http://a/<>?a[]=%zz&b='", ("http", "a", 80), "a", "/%3C%3E?a[]=%zz&b='"),
    ],
)
def test_a_url_is_taken_apart(
    url: str, origin: tuple[str, str, int], host_header: str, target: str
) -> None:
    assert read_url(url) == Address(Origin(*origin), host_header, target)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.example/x",
        "ftp://a.example/",
        "http:///x",
        "http://user:s3cret@a.example/",
        "http://a.example\\@b.example/",
        "http://a.example:0/",
        "http://a.example:65536/",
        "http://a.example:x/",
        "http://[::1/",
        "http://[1:2]/",
        "http://münchen.example/",
        "http://a.example/\r\nX: y",
        "http://a.example/\x00",
        "http://a.example/#\n",
        "http://a.example/s3cret\ud800",
    ],
)
def test_what_is_no_url_to_ask_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        read_url(url)
    assert not caught.value.sent
    assert "s3cret" not in str(caught.value)
    assert caught.value.__context__ is None


@given(st.text())
def test_any_text_gives_an_address_or_our_error(text: str) -> None:
    for url in (text, f"http://{text}", f"http://a.example/{text}"):
        try:
            address = read_url(url)
        except LocalProtocolError:
            continue
        assert address.target.isascii()
        assert address.target.isprintable()
        assert " " not in address.target


def test_an_origin_is_shown_as_a_url() -> None:
    assert str(Origin("https", "a.example", 443)) == "https://a.example:443"
    assert str(Origin("http", "::1", 80)) == "http://[::1]:80"


@pytest.mark.parametrize(
    ("url", "parameters", "expected"),
    [
        ("http://a", {"q": "a b", "n": None}, "http://a?q=a+b"),
        ("http://a?x=%2f", [("q", ["1", "2"])], "http://a?x=%2f&q=1&q=2"),
        ("http://a?x&#f", {"q": 1}, "http://a?x&q=1#f"),
        ("http://a#f", {}, "http://a#f"),
    ],
)
def test_parameters_are_added(url: str, parameters: Parameters, expected: str) -> None:
    assert add_parameters(url, parameters) == expected


def test_what_utf8_cannot_write_is_refused_and_not_shown() -> None:
    with pytest.raises(LocalProtocolError, match="surrogate") as caught:
        form_encoded({"s3cret": "\ud800"})
    assert caught.value.__context__ is None


def test_query_and_fragment_are_cut_off() -> None:
    assert without_query("http://a/b?c#d") == "http://a/b"
    assert without_query("http://a/b#d?c") == "http://a/b"
