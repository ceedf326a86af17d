"""What crosses the border: compared by value, and printed without a secret."""

from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio.events import (
    Endpoint,
    Finished,
    Pairs,
    RequestFailed,
    RequestToSend,
    ResponseReceived,
    SignatureMade,
    SignatureNeeded,
    Started,
    Wait,
    WaitElapsed,
    without_query,
)

SECRET = "tOp-sEcret"
POST = RequestToSend(endpoint=Endpoint.TOKEN, url="https://as.example/token")


@pytest.mark.parametrize(
    ("endpoint", "text"),
    [
        (Endpoint.TOKEN, "token endpoint"),
        (Endpoint.PUSHED_AUTHORIZATION, "pushed authorization request endpoint"),
        (Endpoint.JWKS, "jwks uri"),
        (Endpoint.METADATA, "metadata"),
    ],
)
def test_an_endpoint_prints_as_words(endpoint: Endpoint, text: str) -> None:
    assert str(endpoint) == text


@pytest.mark.parametrize(
    ("request_to_send", "body"),
    [
        pytest.param(POST, b"", id="nothing"),
        pytest.param(
            RequestToSend(
                endpoint=Endpoint.TOKEN, url="", form=(("a", "1 2"), ("b", "ä&="), ("a", ""))
            ),
            b"a=1+2&b=%C3%A4%26%3D&a=",
            id="form: order, repetition and empty values stay",
        ),
        pytest.param(
            RequestToSend(endpoint=Endpoint.TOKEN, url="", form=(("a", "1"),), content=b"{}"),
            b"{}",
            id="content counts instead of form",
        ),
        pytest.param(
            RequestToSend(endpoint=Endpoint.TOKEN, url="", form=(("a", "1"),), content=b""),
            b"",
            id="empty content too",
        ),
    ],
)
def test_the_body(request_to_send: RequestToSend, body: bytes) -> None:
    assert request_to_send.body == body


HEADERS: Pairs = (("Retry-After", "1"), ("X", "y"), ("retry-AFTER", "2"))


@pytest.mark.parametrize(
    "message",
    [
        RequestToSend(endpoint=Endpoint.TOKEN, url="", headers=HEADERS),
        ResponseReceived(status=200, headers=HEADERS),
    ],
    ids=["request", "response"],
)
@pytest.mark.parametrize(
    ("name", "value"), [("RETRY-after", "1"), ("x", "y"), ("retry", None), ("", None)]
)
def test_a_header_is_found_in_any_letter_case(
    message: RequestToSend | ResponseReceived, name: str, value: str | None
) -> None:
    assert message.header(name) == value


def test_all_values_of_a_header() -> None:
    response = ResponseReceived(status=200, headers=HEADERS)
    assert response.header_values("Retry-after") == ("1", "2")
    assert response.header_values("nothing") == ()


def test_a_header_is_set_instead_of_all_of_its_name() -> None:
    request = RequestToSend(endpoint=Endpoint.TOKEN, url="", headers=HEADERS)
    assert request.with_header("RETRY-AFTER", "3").headers == (("X", "y"), ("RETRY-AFTER", "3"))
    assert request.headers == HEADERS


GIVEN: Pairs = (("b", "2 +/ä"), ("b", ""))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({}, {"form": GIVEN}, id="form"),
        pytest.param({"form": (("a", "1"),)}, {"form": (("a", "1"), *GIVEN)}, id="form, more"),
        pytest.param({"content": b""}, {"content": b"b=2+%2B%2F%C3%A4&b="}, id="empty content"),
        pytest.param(
            {"content": b"a=1"}, {"content": b"a=1&b=2+%2B%2F%C3%A4&b="}, id="more content"
        ),
        *(
            pytest.param(
                {"method": "GET", "url": url},
                {"method": "GET", "url": f"{url}{joint}b=2%20%2B%2F%C3%A4&b="},
                id=f"GET {url}",
            )
            for url, joint in [
                ("https://a.example/t", "?"),
                ("https://a.example/t?", ""),
                ("https://a.example/t?x=%7e+y", "&"),
                ("https://a.example/t?x&", ""),
            ]
        ),
    ],
)
def test_parameters_are_added(before: dict[str, object], after: dict[str, object]) -> None:
    def request(fields: dict[str, object]) -> RequestToSend:
        given: dict[str, object] = {"url": "https://as.example/token", **fields}
        return RequestToSend(endpoint=Endpoint.TOKEN, **given)  # type: ignore[arg-type]  # a table

    assert request(before).with_parameters(GIVEN) == request(after)
    assert request(before).with_parameters(()) == request(before)


@pytest.mark.parametrize(
    "request_to_send",
    [
        RequestToSend(endpoint=Endpoint.TOKEN, method="GET", url="https://as.example/"),
        RequestToSend(endpoint=Endpoint.TOKEN, url="https://as.example/", content=b"a=b"),
        RequestToSend(endpoint=Endpoint.TOKEN, url="https://as.example/"),
    ],
    ids=["query", "content", "form"],
)
def test_a_text_that_utf8_cannot_write_is_refused_and_not_shown(
    request_to_send: RequestToSend,
) -> None:
    with pytest.raises(ValueError, match=r"^a parameter holds half of a surrogate pair$") as caught:
        _ = request_to_send.with_parameters((("a", f"{SECRET}\ud800"),)).body
    assert type(caught.value) is ValueError
    assert caught.value.__context__ is None  # the codec's own exception holds the whole text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            RequestToSend(
                endpoint=Endpoint.TOKEN,
                url=f"https://as.example/token?code={SECRET}#{SECRET}",
                headers=(("Authorization", SECRET),),
                form=(("client_secret", SECRET),),
                content=SECRET.encode(),
            ),
            "RequestToSend(endpoint=TOKEN, method='POST', url='https://as.example/token')",
        ),
        (
            ResponseReceived(status=200, headers=(("X", SECRET),), body=SECRET.encode()),
            "ResponseReceived(status=200, body=<10 bytes>)",
        ),
        (
            RequestFailed(OSError(f"no route to https://as.example/?code={SECRET}"), sent=False),
            "RequestFailed(cause=OSError, sent=False)",
        ),
        (
            SignatureNeeded(algorithm="ES256", signing_input=SECRET.encode(), key_id="1"),
            "SignatureNeeded(algorithm='ES256', key_id='1')",
        ),
        # Where nothing is said, the server may have acted.
        (RequestFailed(OSError(SECRET)), "RequestFailed(cause=OSError, sent=True)"),
        (SignatureMade(SECRET.encode()), "SignatureMade()"),
        (Wait(5.0, "slow_down"), "Wait(seconds=5.0, reason='slow_down')"),
        (Started(), "Started()"),
        (WaitElapsed(), "WaitElapsed()"),
        (Finished(1), "Finished(result=1)"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_printing_shows_no_secret(value: object, text: str) -> None:
    assert repr(value) == str(value) == f"{value}" == text


def test_values_compare_by_their_fields_and_cannot_change() -> None:
    assert ResponseReceived(status=200) == ResponseReceived(status=200)
    assert ResponseReceived(status=200) != ResponseReceived(status=201)
    assert len({POST, RequestToSend(endpoint=Endpoint.TOKEN, url=POST.url)}) == 1
    with pytest.raises(FrozenInstanceError):
        POST.url = "https://evil.example/"  # type: ignore[misc]  # that is the point


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/p", "https://a.example/p"),
        ("https://a.example/p?q=1?r", "https://a.example/p"),
        ("https://a.example/p#f?q", "https://a.example/p"),
        ("app:/cb?code=1#x", "app:/cb"),
        ("", ""),
    ],
)
def test_a_url_without_what_may_be_secret(url: str, shown: str) -> None:
    assert without_query(url) == shown


@given(st.text(st.sampled_from("a?#&=/"), max_size=12))
def test_no_query_is_ever_left_over(url: str) -> None:
    assert not set("?#") & set(without_query(url))
