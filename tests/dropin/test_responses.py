from __future__ import annotations

from http import HTTPStatus
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest

from oauth2_sansio import LocalProtocolError, ResponseReceived
from oauth2_sansio.dropin.responses import header_texts, read_double, read_status


def test_a_double() -> None:
    double = SimpleNamespace(status_code=HTTPStatus.OK, json=lambda: {"a": "\u00fc\ud800"})
    assert read_double(double, [("X", 1)]) == ResponseReceived(
        status=200, headers=(("X", "1"),), body=b'{"a": "\\u00fc\\ud800"}'
    )
    assert header_texts([(b"X", None)]) == (("b'X'", "None"),)


@pytest.mark.parametrize(
    ("members", "body"),
    [
        ({}, b""),
        ({"content": b"x"}, b"x"),
        ({"content": Mock(), "text": "\u00fc\ud800"}, b"\xc3\xbc\\ud800"),
        ({"json": Mock(side_effect=ValueError), "text": "x"}, b"x"),
        ({"json": Mock(return_value=Mock()), "content": b"x"}, b"x"),
    ],
)
def test_a_double_without_json(members: dict[str, Any], body: bytes) -> None:
    assert read_double(SimpleNamespace(status_code=200, **members)).body == body


@pytest.mark.parametrize("double", [None, "text", Mock(), SimpleNamespace(status_code="200")])
def test_what_has_no_status(double: Any) -> None:
    with pytest.raises(LocalProtocolError, match=f"the {type(double).__name__} that came"):
        read_status(double)
