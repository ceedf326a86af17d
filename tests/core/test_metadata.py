"""The members of metadata documents."""

from __future__ import annotations

from typing import Any

import pytest

from oauth2_sansio.errors import RemoteProtocolError
from oauth2_sansio.events import Endpoint, RequestToSend
from oauth2_sansio.metadata import (
    bad_metadata,
    check_object,
    metadata_request,
    read_flag,
    read_list,
    read_object,
    read_text,
)


def test_members_of_the_right_type() -> None:
    document = {"a": "text", "b": ["x", "y"], "c": True, "d": False, "e": "", "f": ()}
    assert read_text(document, "a") == "text"
    assert read_list(document, "b") == ("x", "y")
    assert (read_flag(document, "c"), read_flag(document, "d")) == (True, False)
    assert (read_text(document, "e"), read_list(document, "f")) == (None, ())
    assert read_object({"g": {"h": 1}}, "g") == {"h": 1}
    for missing in ({}, {"a": None}):
        assert read_object(missing, "a") == {}
        found = (read_text(missing, "a"), read_list(missing, "a"), read_flag(missing, "a"))
        assert found == (None, None, False)
        assert read_object(missing, "a") == {}
    assert read_object({"a": {"b": 1}}, "a") == {"b": 1}


@pytest.mark.parametrize(
    ("read", "value", "wanted"),
    [
        (read_text, ["a"], "a text"),
        (read_text, 0, "a text"),
        (read_list, "a", "a list of texts"),
        (read_list, ["a", 1], "a list of texts"),
        (read_list, {"a": 1}, "a list of texts"),
        (read_object, [], "a JSON object"),
        (read_object, "a", "a JSON object"),
        (read_object, ["a"], "a JSON object"),
        (read_object, "", "a JSON object"),
        (read_flag, "true", "true or false"),
        (read_flag, 1, "true or false"),
    ],
)
def test_members_of_a_wrong_type(read: Any, value: object, wanted: str) -> None:
    with pytest.raises(RemoteProtocolError, match=f"its name is not {wanted}") as caught:
        read({"name": value}, "name")
    assert caught.value.endpoint is Endpoint.METADATA


def test_a_document_that_is_no_object() -> None:
    check_object({})
    with pytest.raises(RemoteProtocolError, match="not a JSON object"):
        check_object([])


def test_requests_and_errors() -> None:
    assert metadata_request("https://as.example/x") == RequestToSend(
        endpoint=Endpoint.METADATA,
        method="GET",
        url="https://as.example/x",
        headers=(("Accept", "application/json"),),
    )
    assert bad_metadata("it is bad", error="own").error == "own"
