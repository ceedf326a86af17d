from __future__ import annotations

import pytest

from oauth2_sansio.events import Endpoint, Pairs, RequestToSend
from oauth2_sansio.testing import Parameters, Refusal, User
from oauth2_sansio.testing.messages import json_answer, origin_of, page, read_request

from .world import FORM


def _request(url: str = "https://as.example.com/token", **arguments: object) -> RequestToSend:
    return RequestToSend(endpoint=Endpoint.TOKEN, url=url, **arguments)  # type: ignore[arg-type]  # passed on


def test_a_request_is_taken_apart() -> None:
    read = read_request(
        _request(
            "https://AS.example.com/token?a=1&b=",
            method="post",
            headers=(("content-type", "application/x-www-form-urlencoded; charset=utf-8"),),
            form=(("c", "ü +&"), ("c", "")),
        ),
        User(),
    )
    assert (read.method, read.origin, read.path) == ("POST", "https://as.example.com:443", "/token")
    assert read.query == (("a", "1"), ("b", ""))
    assert read.form == (("c", "ü +&"), ("c", ""))
    assert read.header("CONTENT-TYPE") == "application/x-www-form-urlencoded; charset=utf-8"
    assert read.header("Accept") is None
    assert repr(read) == "<IncomingRequest POST /token>"


def test_a_body_of_another_type_is_no_form() -> None:
    read = read_request(_request("https://as.example.com", content=b"\xff=1"), User())
    assert (read.path, read.form, read.body) == ("/", (), b"\xff=1")


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(_request("https://[::1/token"), id="a broken address"),
        pytest.param(_request("https://as.example.com:port/"), id="a port that is no number"),
        pytest.param(_request("https://as.example.com/?a=%FF"), id="a query that is not UTF-8"),
        pytest.param(_request(headers=(FORM,), content=b"a=\xff"), id="a form that is not UTF-8"),
        pytest.param(_request(headers=(FORM,), content=b"a=%ff"), id="the same, encoded"),
        pytest.param(_request(headers=(FORM,), content=b"a=1&" * 201), id="too many parameters"),
        pytest.param(_request(form=(("a", "\ud800"),)), id="no text"),
    ],
)
def test_what_cannot_be_read_is_refused(request_: RequestToSend) -> None:
    with pytest.raises(Refusal) as caught:
        read_request(request_, User())
    assert caught.value.answer.status == 400
    assert caught.value.error == "invalid_request"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://a.example", "https://a.example:443"),
        ("http://A.example/x", "http://a.example:80"),
        ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080"),
        ("ftp://a.example", "ftp://a.example:None"),
    ],
)
def test_the_origin_of_a_url(url: str, origin: str) -> None:
    assert origin_of(url) == origin


def test_parameters() -> None:
    pairs: Pairs = (("a", "1"), ("b", ""), ("resource", "x"), ("resource", "y"))
    parameters = Parameters(pairs)
    assert (parameters.get("a"), parameters.get("b"), parameters.get("c")) == ("1", None, None)
    assert parameters.get_all("resource") == ("x", "y")
    assert parameters.require("a") == "1"
    with pytest.raises(Refusal, match="The parameter b is missing"):
        parameters.require("b")


def test_no_other_parameter_repeats() -> None:
    with pytest.raises(Refusal, match="more than once"):
        Parameters((("a", "1"), ("a", "")))


def test_answers() -> None:
    response = json_answer({"a": "ü"}, status=201, headers=(("X", "y"),))
    assert (response.status, response.body) == (201, b'{"a": "\\u00fc"}')
    assert response.headers == (
        ("Content-Type", "application/json"),
        ("Cache-Control", "no-store"),
        ("Pragma", "no-cache"),
        ("X", "y"),
    )
    shown = page("<p>ü</p>")
    assert shown.header("content-type") == "text/html; charset=utf-8"
    assert shown.body == "<!DOCTYPE html>\n<html><body><p>ü</p></body></html>\n".encode()
