"""Client authentication: the ways, the exact bytes, and where a secret may go."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace

import pytest

from oauth2_sansio import (
    Client,
    ClientAuthentication,
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
from oauth2_sansio.client_auth import (
    MTLS_METHODS,
    choose_authentication,
    encode_basic,
    has_parameter,
)

SECRET = "7Fjfp0ZBr1KtDRbnfVdmIw"
REQUEST = RequestToSend(
    endpoint=Endpoint.TOKEN, url="https://server.example/token", form=(("grant_type", "g"),)
)
GET = RequestToSend(
    endpoint=Endpoint.TOKEN, method="GET", url="https://server.example/token?grant_type=g"
)


def identity(client_id: str = "s6BhdRkqt3") -> ClientIdentity:
    return ClientIdentity(client_id=client_id, server=Server(), random_bytes=bytes)


def signed(way: ClientAuthentication, request: RequestToSend) -> RequestToSend:
    result = way.signer(identity()).sign(request, 0.0)
    assert isinstance(result, RequestToSend)
    return result


@pytest.mark.parametrize(
    ("way", "method"),
    [
        (NoAuthentication(), "none"),
        (ClientSecretBasic(SECRET), "client_secret_basic"),
        (ClientSecretBasic(SECRET, raw=True), "client_secret_basic"),
        (ClientSecretPost(SECRET), "client_secret_post"),
    ],
)
def test_each_way_has_its_name_and_never_asks_for_another_try(
    way: ClientAuthentication, method: str
) -> None:
    assert way.method == method
    assert way.signer(identity()).learn(REQUEST, ResponseReceived(status=401)) is False


@pytest.mark.parametrize(
    ("client_id", "secret", "wanted"),
    [
        ("s6BhdRkqt3", "gX1fBat3bV", "czZCaGRSa3F0MzpnWDFmQmF0M2JW"),
        ("s6BhdRkqt3", SECRET, "czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3"),
        (
            "1PpG/Q 1",
            "z/tZ9VwFZqApmIQ+ZH1I5pLk/uB4ud:X2/8bL+wfFTt1rFw=",
            (
                "MVBwRyUyRlElMjAxOnolMkZ0WjlWd0ZacUFwbUlRJTJCWkgxSTVwTGslMkZ1QjR1ZCUzQVgyJTJG"
                "OGJMJTJCd2ZGVHQxckZ3JTNE"
            ),
        ),
        (
            "client:one",
            "p@ss word/ü",
            "Y2xpZW50JTNBb25lOnAlNDBzcyUyMHdvcmQlMkYlQzMlQkM=",
        ),
        (
            "https://client.example.com/cimd.json",
            "x",
            "aHR0cHMlM0ElMkYlMkZjbGllbnQuZXhhbXBsZS5jb20lMkZjaW1kLmpzb246eA==",
        ),
        ("c", "", "Yzo="),
    ],
)
def test_basic_is_form_encoded_first(client_id: str, secret: str, wanted: str) -> None:
    assert encode_basic(client_id, secret) == f"Basic {wanted}"
    signer = ClientSecretBasic(secret).signer(identity(client_id))
    signed = signer.sign(REQUEST, 0.0)
    assert isinstance(signed, RequestToSend)
    assert signed.header("Authorization") == f"Basic {wanted}"


@pytest.mark.parametrize(
    ("client_id", "secret", "wanted"),
    [
        ("s6BhdRkqt3", SECRET, "czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3"),
        ("one", "p@ss word/ü:", "b25lOnBAc3Mgd29yZC/DvDo="),
        (
            "1PpG/Q 1",
            "z/tZ9VwFZqApmIQ+ZH1I5pLk/uB4ud:X2/8bL+wfFTt1rFw=",
            "MVBwRy9RIDE6ei90WjlWd0ZacUFwbUlRK1pIMUk1cExrL3VCNHVkOlgyLzhiTCt3ZkZUdDFyRnc9",
        ),
        ("client:one", "p@ss word/ü", None),
        ("https://client.example.com/cimd.json", "x", None),
    ],
)
def test_raw_basic_is_the_bytes_themselves_and_has_no_colon_in_the_id(
    client_id: str, secret: str, wanted: str | None
) -> None:
    way = ClientSecretBasic(secret, raw=True)
    if wanted is None:
        with pytest.raises(LocalProtocolError, match="colon"):
            way.signer(identity(client_id))
    else:
        request = way.signer(identity(client_id)).sign(REQUEST, 0.0)
        assert isinstance(request, RequestToSend)
        assert request.header("Authorization") == f"Basic {wanted}"


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("where", ["client_id", "client_secret"])
def test_half_of_a_surrogate_pair_is_refused_without_being_shown(where: str, raw: bool) -> None:
    texts = {"client_id": "id", "client_secret": "secret", where: "hush\ud800"}
    with pytest.raises(LocalProtocolError, match="surrogate") as got:
        encode_basic(texts["client_id"], texts["client_secret"], raw=raw)
    assert "hush" not in str(got.value)
    assert got.value.__context__ is None
    with pytest.raises(LocalProtocolError, match=f"{where} holds"):
        ClientSecretPost(texts["client_secret"]).signer(identity(texts["client_id"]))


def test_basic_sets_the_header_anew() -> None:
    way = ClientSecretBasic("gX1fBat3bV")
    header = ("Authorization", "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW")
    assert signed(way, REQUEST) == replace(REQUEST, headers=(header,))
    assert signed(way, GET) == replace(GET, headers=(header,))
    old = replace(REQUEST, headers=(("authorization", "Bearer old"),))
    assert signed(way, old) == replace(REQUEST, headers=(header,))


def test_none_names_the_client_in_body_or_query() -> None:
    way = NoAuthentication()
    client_id = ("client_id", "s6BhdRkqt3")
    assert signed(way, REQUEST) == replace(REQUEST, form=(*REQUEST.form, client_id))
    assert signed(way, GET) == replace(GET, url=f"{GET.url}&client_id=s6BhdRkqt3")


def test_post_puts_id_and_secret_into_the_body() -> None:
    wanted = (*REQUEST.form, ("client_id", "s6BhdRkqt3"), ("client_secret", SECRET))
    assert signed(ClientSecretPost(SECRET), REQUEST) == replace(REQUEST, form=wanted)
    content = replace(REQUEST, form=(), content=b"a=b")
    assert signed(ClientSecretPost(SECRET), content) == replace(
        content, content=b"a=b&client_id=s6BhdRkqt3&client_secret=7Fjfp0ZBr1KtDRbnfVdmIw"
    )


def test_post_puts_no_secret_into_a_url() -> None:
    with pytest.raises(LocalProtocolError, match="never goes into a URL") as got:
        signed(ClientSecretPost(SECRET), GET)
    assert got.value.endpoint is Endpoint.TOKEN
    assert SECRET not in str(got.value)


def test_what_the_caller_has_put_in_is_not_sent_twice() -> None:
    own = replace(REQUEST, form=(("client_id", "mine"), ("client_secret", "mine too")))
    assert signed(ClientSecretPost(SECRET), own) == own
    assert signed(NoAuthentication(), own) == own


@pytest.mark.parametrize(
    ("request_", "has"),
    [
        (REQUEST, False),
        (replace(REQUEST, form=(("client_id", ""),)), True),
        (replace(REQUEST, content=b"a=b&client_id="), True),
        (replace(REQUEST, content=b"\xff=client_id"), False),
        (replace(REQUEST, form=(("client_id", "not sent"),), content=b""), False),
        (replace(GET, url="https://server.example/token?client%5Fid=x"), True),
        (replace(GET, url="https://server.example/token?client_id="), True),
        (GET, False),
    ],
)
def test_a_parameter_is_found_wherever_it_is(request_: RequestToSend, has: bool) -> None:
    assert has_parameter(request_, "client_id") is has


@pytest.mark.parametrize(
    ("methods", "secret", "wanted"),
    [
        (None, None, NoAuthentication()),
        (("client_secret_basic",), None, NoAuthentication()),
        (None, "s", ClientSecretBasic("s")),
        ((), "s", ClientSecretBasic("s")),
        (("client_secret_post", "client_secret_basic"), "s", ClientSecretBasic("s")),
        (("private_key_jwt", "client_secret_post"), "s", ClientSecretPost("s")),
        (None, "", ClientSecretBasic("")),
    ],
)
def test_the_metadata_choose(
    methods: tuple[str, ...] | None, secret: str | None, wanted: ClientAuthentication
) -> None:
    server = Server(token_endpoint_auth_methods_supported=methods)
    assert choose_authentication(server, secret) == wanted


@pytest.mark.parametrize(
    ("revocation", "introspection", "wanted"),
    [
        (None, None, "bbb"),
        ((), ("client_secret_basic",), "bbb"),
        (("client_secret_post",), None, "bpb"),
        (None, ("private_key_jwt", "client_secret_post"), "bbp"),
        (("client_secret_post",), ("client_secret_post",), "bpp"),
        (("none",), ("private_key_jwt",), "bbb"),  # nothing else is possible
    ],
)
def test_the_metadata_choose_for_each_endpoint(
    revocation: tuple[str, ...] | None, introspection: tuple[str, ...] | None, wanted: str
) -> None:
    server = Server(
        token_endpoint_auth_methods_supported=("client_secret_basic",),
        revocation_endpoint_auth_methods_supported=revocation,
        introspection_endpoint_auth_methods_supported=introspection,
    )
    way = choose_authentication(server, SECRET)
    assert way.method == "client_secret_basic"
    signer = way.signer(identity())
    used = ""
    for endpoint in (Endpoint.TOKEN, Endpoint.REVOCATION, Endpoint.INTROSPECTION):
        signed = signer.sign(RequestToSend(endpoint=endpoint, url="https://as.example"), 0.0)
        assert isinstance(signed, RequestToSend)
        used += "b" if signed.header("Authorization") else "p"
        assert ("client_secret" in dict(signed.form)) == (used[-1] == "p")
    assert used == wanted
    request = RequestToSend(endpoint=Endpoint.TOKEN, url="https://as.example")
    assert not signer.learn(request, ResponseReceived(status=200))
    assert SECRET not in f"{way!r}{signer!r}"


def test_another_usual_way_by_the_metadata() -> None:
    server = Server(
        token_endpoint_auth_methods_supported=("client_secret_post",),
        introspection_endpoint_auth_methods_supported=("client_secret_basic",),
    )
    signer = choose_authentication(server, SECRET).signer(identity())
    request = RequestToSend(endpoint=Endpoint.INTROSPECTION, url="https://as.example")
    signed = signer.sign(request, 0.0)
    assert isinstance(signed, RequestToSend)
    assert signed.header("Authorization") is not None


def test_where_the_metadata_leave_no_way_the_error_names_theirs_in_print() -> None:
    server = Server(token_endpoint_auth_methods_supported=("private_key_jwt", "evil\x1b[2J"))
    with pytest.raises(LocalProtocolError) as got:
        choose_authentication(server, "hush-hush")
    assert str(got.value) == (
        "local_protocol_error: the server takes neither client_secret_basic nor client_secret_post"
        "; give auth= for one of: private_key_jwt, evil\\x1b[2J"
    )


@pytest.mark.parametrize("way", [ClientSecretBasic, ClientSecretPost])
@pytest.mark.parametrize("wrong", [None, b"bytes", 7])
def test_a_secret_is_a_text(way: type[ClientSecretBasic | ClientSecretPost], wrong: object) -> None:
    with pytest.raises(TypeError, match="client_secret has to be a text"):
        way(wrong)  # type: ignore[arg-type]  # what the test is about


def holders() -> list[object]:
    ways: list[ClientAuthentication] = [ClientSecretBasic(SECRET), ClientSecretPost(SECRET)]
    return [*ways, *(way.signer(identity()) for way in ways)]


@pytest.mark.parametrize("value", holders(), ids=lambda value: type(value).__name__)
def test_what_holds_a_secret_neither_shows_nor_pickles_it(value: object) -> None:
    assert SECRET not in repr(value)
    assert encode_basic("s6BhdRkqt3", SECRET) not in repr(value)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="may hold secrets, and is not pickled"):
            pickle.dumps(value, protocol)
    assert copy.copy(value) is value
    assert copy.deepcopy([value])[0] is value


def test_identity_and_none_hold_no_secret() -> None:
    assert repr(identity()).startswith("ClientIdentity(client_id='s6BhdRkqt3', server=Server(")
    assert "random_bytes" not in repr(identity())
    assert pickle.loads(pickle.dumps(NoAuthentication())) == NoAuthentication()


WAYS = [TLSClientAuth(), SelfSignedTLSClientAuth()]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.method)
def test_by_a_certificate_a_request_names_the_client_and_nothing_else(
    way: ClientAuthentication,
) -> None:
    assert pickle.loads(pickle.dumps(way)) == way
    server = Server(token_endpoint="https://as.example/token")
    client = Client(server=server, client_id="app", auth=way)
    assert client.client_credentials(scope="read").start(0.0) == RequestToSend(
        endpoint=Endpoint.TOKEN,
        url="https://as.example/token",
        headers=(
            ("Accept", "application/json"),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ),
        form=(("grant_type", "client_credentials"), ("scope", "read"), ("client_id", "app")),
    )
    assert way.method in MTLS_METHODS
