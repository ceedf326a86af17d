from __future__ import annotations

from typing import Any

import pytest

from oauth2_sansio import (
    ClientIdentity,
    ClientSecretBasic,
    ClientSecretPost,
    Endpoint,
    LocalProtocolError,
    NoAuthentication,
    RequestToSend,
    ResponseReceived,
    SelfSignedTLSClientAuth,
    Server,
    TLSClientAuth,
)
from oauth2_sansio.dropin.methods import (
    AuthFunction,
    Chosen,
    Credentials,
    FunctionAuthentication,
    Unauthenticated,
    check_method,
    is_auth_function,
    method_by_secret,
    read_registration,
)

REQUEST = RequestToSend(endpoint=Endpoint.TOKEN, url="https://as.example/token", form=(("a", "1"),))
IDENTITY = ClientIdentity(client_id="app", server=Server(), random_bytes=bytes)
HTTP_AUTH = object()


def own(client: Any, method: str, uri: str, headers: Any, body: str) -> tuple[str, Any, str]:
    return f"{uri}?by={client}", {**headers, "X-Method": method}, f"{body}&b=2"


def choose(auth: Any = None, method: Any = "none", **changes: Any) -> Chosen:
    known: dict[str, AuthFunction] = {"own": own}
    given = {"client_id": "app", "client_secret": "s", "registered": known, **changes}
    return Credentials(client="me", **given).choose(auth, method, lambda each: each is HTTP_AUTH)


@pytest.mark.parametrize(
    ("auth", "method", "chosen"),
    [
        (None, "none", Chosen("app", NoAuthentication())),
        (None, "client_secret_basic", Chosen("app", ClientSecretBasic("s"))),
        (None, "client_secret_basic_raw", Chosen("app", ClientSecretBasic("s", raw=True))),
        (None, "client_secret_post", Chosen("app", ClientSecretPost("s"))),
        (None, "tls_client_auth", Chosen("app", TLSClientAuth())),
        ("self_signed_tls_client_auth", "none", Chosen("app", SelfSignedTLSClientAuth())),
        (None, TLSClientAuth(), Chosen("app", TLSClientAuth())),
        (None, ClientSecretPost("t"), Chosen("app", ClientSecretPost("t"))),
        (None, "own", Chosen("app", FunctionAuthentication("own", own, "me"))),
        (None, own, Chosen("app", FunctionAuthentication("own", own, "me"))),
        (("b", "t"), "none", Chosen("b", ClientSecretBasic("t"))),
        (["b", "t"], "client_secret_post", Chosen("b", ClientSecretBasic("t"))),
        (("b", "t"), "client_secret_basic_raw", Chosen("b", ClientSecretBasic("t", raw=True))),
        ("client_secret_post", "none", Chosen("app", ClientSecretPost("s"))),
        ("no", "none", None),
        (HTTP_AUTH, "none", Chosen("app", Unauthenticated(), HTTP_AUTH)),
        (own, "none", Chosen("app", FunctionAuthentication("own", own, "me"))),
    ],
)
def test_choices(auth: Any, method: Any, chosen: Chosen | None) -> None:
    if chosen is None:
        with pytest.raises(ValueError, match="no way to authenticate is called 'no'"):
            choose(auth, method)
    else:
        assert choose(auth, method) == chosen


@pytest.mark.parametrize(
    ("changes", "missing"),
    [({"client_secret": None}, "client_secret"), ({"client_id": None}, "client_id")],
)
def test_what_is_missing(changes: dict[str, Any], missing: str) -> None:
    with pytest.raises(LocalProtocolError, match=f"client_secret_post needs a {missing}"):
        choose(method="client_secret_post", **changes)


def test_a_certificate_is_somebodys() -> None:
    assert choose(method="tls_client_auth", client_secret=None).way == TLSClientAuth()
    with pytest.raises(LocalProtocolError, match="tls_client_auth needs a client_id"):
        choose(method="tls_client_auth", client_id=None)


def test_nobody_in_particular() -> None:
    assert choose(client_id=None).way == Unauthenticated()
    way = Unauthenticated()
    assert (way.method, way.signer(IDENTITY)) == ("none", way)
    assert way.sign(REQUEST, 0) is REQUEST
    assert way.learn(REQUEST, ResponseReceived(status=401)) is False


def test_a_function_signs() -> None:
    way = FunctionAuthentication("own", own, "me")
    assert way.signer(IDENTITY) is way
    signed = way.sign(REQUEST, 0)
    assert (signed.url, signed.header("X-Method"), signed.body) == (
        "https://as.example/token?by=me",
        "POST",
        b"a=1&b=2",
    )
    assert way.learn(REQUEST, ResponseReceived(status=401)) is False


class Named:
    name = "named"

    def __call__(self, *arguments: Any) -> tuple[str, Any, str]:
        return own(*arguments)


def test_registrations() -> None:
    named = Named()
    assert read_registration(("own", own)) == ("own", own)
    assert read_registration(named) == ("named", named)
    way = choose(method=named).way
    assert isinstance(way, FunctionAuthentication)
    assert way.method == "named"
    for wrong in (own, ("own",), ("own", "x"), (5, own), "own", None):
        with pytest.raises(TypeError, match="register a name and a function"):
            read_registration(wrong)


@pytest.mark.parametrize(
    "method",
    [
        "none",
        "client_secret_basic",
        "client_secret_jwt",
        "mine",
        own,
        Named(),
        ClientSecretPost(""),
    ],
)
def test_methods_that_may_be(method: Any) -> None:
    assert check_method(method) is method


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("", ValueError),
        ("  ", ValueError),
        ("NONE", ValueError),
        ("basic", ValueError),
        ("Post", ValueError),
        ("client secret basic", ValueError),
        ("client-secret-basic-raw", ValueError),
        (5, TypeError),
        (("a", "b"), TypeError),
    ],
)
def test_methods_that_cannot_be(method: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="authenticate"):
        check_method(method)


@pytest.mark.parametrize(
    ("auth", "is_one"),
    [(own, True), (Named(), True), (lambda request: request, False), (5, False), (print, True)],
)
def test_functions_of_ours_and_of_the_http_library(auth: Any, is_one: bool) -> None:
    assert is_auth_function(auth) is is_one


@pytest.mark.parametrize(
    ("supported", "wanted"),
    [
        (None, "client_secret_basic"),
        ((), "client_secret_basic"),
        (["client_secret_post", "client_secret_basic"], "client_secret_basic"),
        (["client_secret_post"], "client_secret_post"),
        (["private_key_jwt"], "client_secret_basic"),  # nothing else is possible
    ],
)
def test_the_metadata_choose(supported: list[str] | None, wanted: str) -> None:
    assert method_by_secret(supported) == wanted
