from __future__ import annotations

from oauth2_sansio_trio import Headers

FIELDS = (("Set-Cookie", "a=1"), ("Content-Type", "text/html"), ("set-cookie", "b=2"))


def test_names_count_whatever_their_case_and_values_are_joined() -> None:
    headers = Headers(FIELDS)

    assert dict(headers) == {"set-cookie": "a=1, b=2", "content-type": "text/html"}
    assert headers["SET-COOKIE"] == "a=1, b=2"
    assert headers.get_list("Set-cookie") == ["a=1", "b=2"]
    assert headers.get_list("missing") == []
    assert "CONTENT-TYPE" in headers
    assert "missing" not in headers
    assert 1 not in headers  # type: ignore[comparison-overlap] # what is no text is no name
    assert len(headers) == 2
    assert headers.pairs == FIELDS


def test_headers_are_made_of_a_mapping_or_of_headers() -> None:
    assert Headers({"a": "1"}).pairs == (("a", "1"),)
    assert Headers(Headers(FIELDS)).pairs == FIELDS
    assert Headers().pairs == ()
    assert Headers(pair for pair in FIELDS).pairs == FIELDS
    assert Headers(list(FIELDS)).pairs == FIELDS


def test_headers_are_changed_into_new_ones() -> None:
    headers = Headers(FIELDS)

    assert headers.with_header("set-cookie", "c").pairs == (FIELDS[1], ("set-cookie", "c"))
    assert headers.without("CONTENT-type").pairs == (FIELDS[0], FIELDS[2])
    assert headers.updated({"content-TYPE": "x", "new": "y"}).pairs == (
        FIELDS[0],
        FIELDS[2],
        ("content-TYPE", "x"),
        ("new", "y"),
    )
    assert headers.pairs == FIELDS


def test_the_values_are_not_shown() -> None:
    assert repr(Headers(FIELDS)) == "<Headers set-cookie, content-type>"
