"""The user's way to the server and back: what is written, what is believed, what is kept."""

from __future__ import annotations

import json
import os
import pickle
import string
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio import (
    Endpoint,
    ErrorResponse,
    LocalProtocolError,
    MismatchingStateError,
    OAuth2Error,
    OAuth2Token,
    PendingAuthorization,
    RemoteProtocolError,
    ResponseMode,
    Server,
    ServerKeys,
    generate_token,
)
from oauth2_sansio.authorization import (
    authorization_url,
    base64url,
    check_begun_at,
    check_challenge_method,
    check_verifier,
    code_challenge,
    random_text,
)
from oauth2_sansio.jwt_verification import JWTVerification

from . import server_jwts

ISSUER = "https://server.example"
EVIL = "https://evil.example"
CALLBACK = "https://client.example/callback"
STATE = "the-state-of-this-browser-session"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
PENDING = PendingAuthorization(
    url=f"{ISSUER}/authorize?state={STATE}",
    state=STATE,
    redirect_uri=CALLBACK,
    code_verifier=VERIFIER,
    nonce="the-nonce",
    issuer=ISSUER,
    expires_at=600.0,
)
FRAGMENT = replace(PENDING, response_type="code id_token", response_mode=ResponseMode.FRAGMENT)
POSTED = replace(PENDING, response_mode=ResponseMode.FORM_POST)
IMPLICIT = replace(PENDING, response_type="token", response_mode=ResponseMode.FRAGMENT)


def query(**parameters: str) -> str:
    return f"{CALLBACK}?{urlencode(parameters)}"


def read(pending: PendingAuthorization, callback: str) -> str:
    if pending is IMPLICIT:
        return str(pending.read_implicit_callback(callback, 0.0).access_token)
    return pending.read_callback(callback)


# The callback


SIGNED = replace(PENDING, response_mode=ResponseMode.JWT, issuer=server_jwts.ISSUER)
VERIFICATION = JWTVerification(
    issuer=server_jwts.ISSUER,
    client_id="app",
    algorithms=("ES256",),
    keys=ServerKeys(server_jwts.jwk_set("ES256")),
)


def signed(**claims: object) -> str:
    return query(response=server_jwts.signed_jwt({**server_jwts.CLAIMS, "state": STATE, **claims}))


def test_a_signed_answer() -> None:
    answer = SIGNED.read_answer(signed(code="c1"), "code", VERIFICATION)
    assert answer.parameters["code"] == "c1"
    for claims, error in (
        ({"code": "c1", "state": "x"}, MismatchingStateError),
        ({"code": "c1", "state": [STATE]}, MismatchingStateError),
        ({"code": ["c1"]}, RemoteProtocolError),
        ({"error": "access_denied", "code": "c1"}, ErrorResponse),
    ):
        with pytest.raises(error):
            SIGNED.read_answer(signed(**claims), "code", VERIFICATION)
    with pytest.raises(LocalProtocolError, match=r"Client\.redeem"):
        SIGNED.read_callback(signed(code="c1"))
    with pytest.raises(LocalProtocolError, match=r"Client\.redeem"):
        SIGNED.read_callback(query(code="c1", state=STATE))


def test_a_signed_token() -> None:
    implicit = replace(SIGNED, response_type="token")
    callback = signed(access_token="t1", token_type="Bearer", expires_in=60).replace("?", "#")
    token = implicit.read_implicit_callback(callback, server_jwts.NOW, VERIFICATION)
    assert (token.access_token, token.expires_at) == ("t1", server_jwts.NOW + 60)
    with pytest.raises(RemoteProtocolError, match="jwt_expired"):
        implicit.read_implicit_callback(callback, server_jwts.NOW + 99, VERIFICATION)


@pytest.mark.parametrize(
    ("pending", "callback"),
    [
        pytest.param(PENDING, f"{CALLBACK}?code=c1&state={STATE}", id="query"),
        pytest.param(PENDING, f"{CALLBACK}?code=c1&state={STATE}#_=_", id="with #_=_"),
        pytest.param(PENDING, f"/callback?code=c1&state={STATE}", id="as a web server sees it"),
        pytest.param(PENDING, f"com.example.app:/cb?state={STATE}&code=c1", id="own scheme"),
        pytest.param(PENDING, f"{CALLBACK}?tenant=7&code=c1&state={STATE}&x=", id="more"),
        pytest.param(PENDING, f"{CALLBACK}?error=&code=c1&state={STATE}", id="an error of nothing"),
        pytest.param(
            PENDING, f"{CALLBACK}?code=c1&state={STATE}#access_token=t&code=c2", id="both"
        ),
        pytest.param(FRAGMENT, f"{CALLBACK}?own=1#code=c1&state={STATE}&id_token=i", id="fragment"),
        pytest.param(POSTED, f"code=c1&state={STATE}", id="form_post"),
        pytest.param(
            replace(IMPLICIT, response_type="token code"),
            f"{CALLBACK}#state={STATE}&access_token=t&code=c1",
            id="hybrid, in any order",
        ),
    ],
)
def test_a_code_comes_back(pending: PendingAuthorization, callback: str) -> None:
    assert pending.read_callback(callback) == "c1"


STATES = ["", "x", STATE[:-1], f"{STATE}x", STATE.upper(), f" {STATE}", "ü", "\x00"]


@pytest.mark.parametrize("rest", [{"code": "c1"}, {"error": "access_denied"}, {"iss": EVIL}, {}])
@pytest.mark.parametrize("state", [None, *STATES])
@pytest.mark.parametrize("pending", [PENDING, FRAGMENT, POSTED, IMPLICIT])
def test_the_state_is_compared_before_all_else(
    pending: PendingAuthorization, state: str | None, rest: dict[str, str]
) -> None:
    text = urlencode(rest if state is None else {**rest, "state": state})
    callback = {
        ResponseMode.QUERY: f"{CALLBACK}?{text}",
        ResponseMode.FRAGMENT: f"{CALLBACK}#{text}",
        ResponseMode.FORM_POST: text,
    }[pending.response_mode]
    with pytest.raises(MismatchingStateError, match="another state, or none"):
        read(pending, callback)


def test_half_of_a_surrogate_pair_is_no_question_mark() -> None:
    with pytest.raises(MismatchingStateError):
        replace(PENDING, state="\ud800").read_callback(query(code="c1", state="?"))


@pytest.mark.parametrize("required", [False, True])
@pytest.mark.parametrize("expected", [None, ISSUER])
@pytest.mark.parametrize("given_issuer", [None, "", ISSUER, f"{ISSUER}/", ISSUER.upper(), EVIL])
@pytest.mark.parametrize("rest", [{"code": "c1"}, {"error": "access_denied"}])
def test_the_issuer(
    rest: dict[str, str], given_issuer: str | None, expected: str | None, required: bool
) -> None:
    pending = replace(PENDING, issuer=expected, issuer_required=required)
    parameters = {**rest, "state": STATE}
    if given_issuer is not None:
        parameters["iss"] = given_issuer
    missing = given_issuer is None and required
    if missing or (given_issuer is not None and expected not in (None, given_issuer)):
        text = "names no issuer" if missing else "is another issuer's"
        with pytest.raises(RemoteProtocolError, match=text) as got:
            pending.read_callback(query(**parameters))
        assert got.value.error == "issuer_mismatch"
    elif "error" in rest:
        with pytest.raises(ErrorResponse):
            pending.read_callback(query(**parameters))
    else:
        assert pending.read_callback(query(**parameters)) == "c1"


def test_the_issuer_may_be_in_the_query_while_all_else_is_in_the_fragment() -> None:
    pending = replace(FRAGMENT, issuer_required=True)
    fragment = f"code=c1&state={STATE}"
    encoded = quote(ISSUER, safe="")
    assert pending.read_callback(f"{CALLBACK}?iss={encoded}#{fragment}") == "c1"
    assert pending.read_callback(f"{CALLBACK}?iss={encoded}#{fragment}&iss={encoded}") == "c1"
    with pytest.raises(RemoteProtocolError, match="is another issuer's"):
        pending.read_callback(f"{CALLBACK}?iss={EVIL}#{fragment}")
    for one, other in ((ISSUER, EVIL), (EVIL, ISSUER)):
        with pytest.raises(RemoteProtocolError, match="iss more than once"):
            pending.read_callback(f"{CALLBACK}?iss={one}#{fragment}&iss={other}")


@pytest.mark.parametrize("name", ["code", "state", "iss", "error", "own"])
@pytest.mark.parametrize("pending", [PENDING, FRAGMENT, POSTED])
def test_a_doubled_parameter_is_refused(pending: PendingAuthorization, name: str) -> None:
    text = f"code=c1&state={STATE}&{name}=1&{name}=2"
    sign = {ResponseMode.QUERY: f"{CALLBACK}?", ResponseMode.FRAGMENT: f"{CALLBACK}#"}
    with pytest.raises(RemoteProtocolError, match=f"{name} more than once"):
        pending.read_callback(sign.get(pending.response_mode, "") + text)


def test_an_error_wins_over_a_code() -> None:
    code = "SplxlOBeZQQYbYS6WxSbIA"
    with pytest.raises(ErrorResponse) as got:
        PENDING.read_callback(
            query(
                code=code,
                state=STATE,
                error="access_denied",
                error_description=f"no\r\n to {code} of {STATE} \u202e",
                error_uri=f"{ISSUER}/why",
            )
        )
    error = got.value
    assert (error.error, error.uri) == ("access_denied", f"{ISSUER}/why")
    assert error.description == f"no\r\n to {code} of {STATE} \u202e"
    assert error.endpoint is Endpoint.AUTHORIZATION
    assert str(error) == (
        "access_denied: no\\r\\n to [redacted] of [redacted] \\u202e (authorization endpoint); "
        "the server did not authorize: see the code"
    )


def test_an_error_may_come_alone() -> None:
    with pytest.raises(ErrorResponse) as got:
        PENDING.read_callback(query(state=STATE, error="x" * 5000))
    assert len(str(got.value)) < 200
    assert got.value.description is None


@pytest.mark.parametrize(
    ("error", "description", "shown"),
    [
        ("0" * 79, "0" * 47, "0" * 79 + ": " + "0" * 47),
        ("0" * 80, "0" * 48, "[redacted]: [redacted]"),
    ],
)
def test_what_may_well_be_a_secret_is_not_shown(error: str, description: str, shown: str) -> None:
    with pytest.raises(ErrorResponse) as got:
        PENDING.read_callback(query(state=STATE, error=error, error_description=description))
    assert str(got.value).startswith(f"{shown} (authorization endpoint)")


@pytest.mark.parametrize("code", [None, "", "a\x00b", "ü", "a\nb"])
def test_a_code_is_visible_text(code: str | None) -> None:
    parameters = {"state": STATE} if code is None else {"state": STATE, "code": code}
    with pytest.raises(RemoteProtocolError, match="no usable code"):
        PENDING.read_callback(query(**parameters))


@pytest.mark.parametrize(
    "callback",
    [
        pytest.param(f"{CALLBACK}#access_token=t&token_type=bearer&state={STATE}", id="only"),
        pytest.param(f"{CALLBACK}?state={STATE}#access_token=t&state={STATE}", id="with a state"),
        pytest.param(f"{CALLBACK}?access_token=t&state={STATE}", id="in the query"),
    ],
)
def test_a_client_that_asked_for_a_code_takes_no_token(callback: str) -> None:
    with pytest.raises(RemoteProtocolError):
        PENDING.read_callback(callback)
    with pytest.raises(LocalProtocolError, match="no access_token comes with the response type"):
        PENDING.read_implicit_callback(callback, 0.0)


def test_a_client_that_asked_for_a_token_takes_no_code() -> None:
    with pytest.raises(LocalProtocolError, match="no code comes with the response type 'token'"):
        IMPLICIT.read_callback(f"{CALLBACK}#code=c1&state={STATE}")


def test_a_token_comes_in_the_fragment_where_it_was_asked_for() -> None:
    callback = f"{CALLBACK}#access_token=t1&token_type=Bearer&expires_in=3600&state={STATE}"
    token = IMPLICIT.read_implicit_callback(callback, 1000.0)
    assert isinstance(token, OAuth2Token)
    assert (token.access_token, token.expires_at) == ("t1", 4600.0)
    with pytest.raises(RemoteProtocolError, match="no usable access_token"):
        IMPLICIT.read_implicit_callback(f"{CALLBACK}#state={STATE}", 0.0)
    with pytest.raises(RemoteProtocolError, match="refresh_token") as got:
        IMPLICIT.read_implicit_callback(f"{callback}&refresh_token=%00", 0.0)
    assert got.value.endpoint is Endpoint.AUTHORIZATION


@pytest.mark.parametrize(
    "callback",
    [
        pytest.param("", id="nothing"),
        pytest.param("code=c1", id="no URL"),
        pytest.param("https://[::1/?code=c1", id="unsound host"),
        pytest.param(f"{CALLBACK}?code=c1&state=%", id="cut in a percent sequence"),
        pytest.param(f"{CALLBACK}?code=%ff&state={STATE}", id="not UTF-8"),
        pytest.param(f"{CALLBACK}?code=c 1&state={STATE}", id="a space"),
        pytest.param(f"{CALLBACK}?code=c1\r\n&state={STATE}", id="a line break"),
        pytest.param(f"{CALLBACK}?code=c1&state={STATE}&=x", id="no name"),
        pytest.param(f"{CALLBACK}?state={STATE}&code=" + "x" * 70_000, id="too long"),
        pytest.param(f"{CALLBACK}?state={STATE}&code=x" + "&a" * 100, id="too many"),
    ],
)
def test_a_broken_callback_is_not_quoted(callback: str) -> None:
    with pytest.raises(RemoteProtocolError) as got:
        PENDING.read_callback(callback)
    assert STATE not in str(got.value)
    assert len(str(got.value)) < 300


NAMES = ["code", "state", "iss", "error", "error_description", "access_token", "a"]
VALUES = st.text(max_size=8) | st.sampled_from([STATE, ISSUER, EVIL, "", "%", "&"])
CALLBACKS = st.text(max_size=80) | st.builds(
    lambda start, pairs: start + "&".join(f"{name}={value}" for name, value in pairs),
    st.sampled_from(["", "/", f"{CALLBACK}?", f"{CALLBACK}#", f"{CALLBACK}?iss={EVIL}#"]),
    st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=6),
)


@given(pending=st.sampled_from([PENDING, FRAGMENT, POSTED, IMPLICIT]), callback=CALLBACKS)
def test_any_text_is_a_code_or_our_error(pending: PendingAuthorization, callback: str) -> None:
    try:
        taken = read(pending, callback)
    except OAuth2Error:
        return
    assert STATE in callback
    assert taken.isascii()
    assert taken.isprintable()


def test_it_can_be_too_late() -> None:
    PENDING.check_age(600.0)
    PENDING.check_age(0.0)
    replace(PENDING, expires_at=None).check_age(1e12)
    with pytest.raises(LocalProtocolError, match="this authorization is too old"):
        PENDING.check_age(600.1)


# What is kept meanwhile


def test_nothing_secret_is_shown() -> None:
    for secret in (STATE, VERIFIER, "the-nonce"):
        assert secret not in repr(PENDING)
    assert CALLBACK in repr(PENDING)


BARE = PendingAuthorization(url="https://server.example/a", state="s")


@pytest.mark.parametrize("pending", [PENDING, FRAGMENT, POSTED, IMPLICIT, BARE, SIGNED])
def test_it_is_stored_and_comes_back_the_same(pending: PendingAuthorization) -> None:
    document = json.loads(json.dumps(pending.to_dict()))
    assert document["version"] == 1
    assert PendingAuthorization.from_dict(document) == pending
    assert pickle.loads(pickle.dumps(pending)) == pending


@pytest.mark.parametrize("version", [0, 2, "1", None, [1]])
def test_another_version_is_refused(version: object) -> None:
    with pytest.raises(LocalProtocolError, match="by another version of this library"):
        PendingAuthorization.from_dict({**PENDING.to_dict(), "version": version})


@pytest.mark.parametrize("name", PENDING.to_dict())
def test_a_missing_member_is_refused(name: str) -> None:
    document = PENDING.to_dict()
    del document[name]
    with pytest.raises(LocalProtocolError, match="can be read from this"):
        PendingAuthorization.from_dict(document)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("url", None),
        ("state", None),
        ("state", ""),
        ("redirect_uri", 1),
        ("code_verifier", ["x"]),
        ("nonce", False),
        ("response_type", None),
        ("response_mode", None),
        ("response_mode", "cookie"),
        ("response_mode", []),
        ("issuer", {}),
        ("issuer_required", 1),
        ("issuer_required", "false"),
        ("expires_at", "600"),
        ("expires_at", True),
        ("expires_at", float("nan")),
        ("expires_at", float("inf")),
        ("more", 1),
    ],
)
def test_a_wrong_member_is_refused(name: str, value: object) -> None:
    with pytest.raises(LocalProtocolError) as got:
        PendingAuthorization.from_dict({**PENDING.to_dict(), name: value})
    assert str(got.value) == (
        "local_protocol_error: no pending authorization can be read from this: a member is "
        "missing, or of a wrong type; send the user to the server again"
    )


@pytest.mark.parametrize("document", [None, [], "x", 1, [["version", 1]]])
def test_what_is_no_object_is_refused(document: Any) -> None:
    with pytest.raises(LocalProtocolError, match="it is not a JSON object"):
        PendingAuthorization.from_dict(document)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from(sorted(PENDING.to_dict())) | st.text(), JSON, max_size=3))
def test_any_document_is_a_pending_authorization_or_our_error(changes: dict[str, Any]) -> None:
    for document in (changes, {**PENDING.to_dict(), **changes}):
        try:
            pending = PendingAuthorization.from_dict(document)
        except LocalProtocolError:
            continue
        assert pending.to_dict() == document
        assert hash(pending) == hash(PendingAuthorization.from_dict(document))


# The URL


def test_the_url_is_written_with_percent_20() -> None:
    parameters = (
        ("response_type", "code"),
        ("client_id", "a b&c"),
        ("scope", "openid profile"),
        ("state", "s+/= ü"),
        ("resource", "https://a.example"),
        ("resource", "https://b.example"),
        ("empty", ""),
        ("own name", "~"),
    )
    url = authorization_url(f"{ISSUER}/authorize", parameters)
    assert url == (
        "https://server.example/authorize?response_type=code&client_id=a%20b%26c"
        "&scope=openid%20profile&state=s%2B%2F%3D%20%C3%BC&resource=https%3A%2F%2Fa.example"
        "&resource=https%3A%2F%2Fb.example&empty=&own%20name=~"
    )
    assert authorization_url(f"{ISSUER}/authorize", parameters) == url  # now from the cache


@pytest.mark.parametrize(
    ("own", "wanted"),
    [
        ("?", "?client_id=c&state=s"),
        ("?a=%7e&a=+&b", "?a=%7e&a=+&b&client_id=c&state=s"),
        ("?a=1&", "?a=1&client_id=c&state=s"),
        ("?client_id=c", "?client_id=c&state=s"),
        ("?client%5Fid=%63&x=", "?client%5Fid=%63&x=&state=s"),
    ],
)
def test_the_endpoints_own_query_stays_byte_for_byte(own: str, wanted: str) -> None:
    parameters = (("client_id", "c"), ("state", "s"))
    assert authorization_url(f"{ISSUER}/a{own}", parameters) == f"{ISSUER}/a{wanted}"


@pytest.mark.parametrize(
    "own",
    [
        "client_id=evil",
        "x=1&client_id=",
        "client_id=evil&client_id=c",
        *("request_uri=https://evil.example", "request=", "redirect_uri=https://evil.example"),
        *("code_challenge=known", "code_challenge_method=plain", "dpop_jkt=known"),
    ],
)
def test_the_endpoints_own_query_contradicts_nothing(own: str) -> None:
    with pytest.raises(LocalProtocolError, match="sets a parameter of the request already") as got:
        authorization_url(f"{ISSUER}/a?{own}", (("client_id", "c"), ("state", "s")))
    assert got.value.endpoint is Endpoint.AUTHORIZATION


@given(st.lists(st.tuples(st.text(), st.text()), max_size=5))
def test_what_is_written_can_be_read(parameters: list[tuple[str, str]]) -> None:
    url = authorization_url(f"{ISSUER}/a", tuple(parameters))
    assert url.isascii()
    assert parse_qsl(url.partition("?")[2], keep_blank_values=True) == parameters


# PKCE


def test_the_vector_of_rfc_7636_appendix_b() -> None:
    octets = bytes.fromhex("7418dfb49799e0254ffa607dd8adbbba16d4254d69d6bff05b58055853848d79")
    assert random_text(lambda n: octets[:n]) == VERIFIER
    assert code_challenge(VERIFIER) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert base64url(b"\xfb\xff") == "-_8"


@pytest.mark.parametrize("verifier", ["a" * 43, "A9-._~" * 21 + "zz", VERIFIER])
def test_a_verifier_is_as_the_rfc_has_it(verifier: str) -> None:
    assert check_verifier(verifier) == verifier


@pytest.mark.parametrize("verifier", ["a" * 42, "a" * 129, "ü" * 43, "a" * 43 + "\n", "+" * 43])
def test_another_verifier_is_misuse(verifier: str) -> None:
    with pytest.raises(ValueError, match="43 to 128 characters") as got:
        check_verifier(verifier)
    assert verifier not in str(got.value)


@pytest.mark.parametrize("methods", [None, ("S256",), ("plain", "S256")])
def test_s256_may_be_used(methods: tuple[str, ...] | None) -> None:
    check_challenge_method(Server(code_challenge_methods_supported=methods))


@pytest.mark.parametrize("methods", [(), ("plain",), ("s256",)])
def test_a_server_without_s256_is_refused(methods: tuple[str, ...]) -> None:
    with pytest.raises(RemoteProtocolError, match="S256 is not among them"):
        check_challenge_method(Server(code_challenge_methods_supported=methods))


@pytest.mark.parametrize("length", [0, 1, 30, 1000])
def test_a_generated_token_has_letters_and_digits(length: int) -> None:
    token = generate_token(length)
    assert len(token) == length
    assert token == "" or (token.isascii() and token.isalnum())


def test_state_and_verifier_have_256_bits() -> None:
    assert random_text(lambda count: b"\xff" * count) == "_" * 42 + "8"


def test_generated_tokens_differ() -> None:
    assert len({generate_token() for _ in range(100)}) == 100
    assert len(generate_token()) == 30


def test_each_letter_is_as_likely_as_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    # Of 256 values of a byte 248 are used, each letter by four of them.
    bytes_left = list(range(255, -1, -1)) * 4
    monkeypatch.setattr(os, "urandom", lambda count: bytes(bytes_left.pop() for _ in range(count)))
    made = generate_token(496)
    assert made == (string.ascii_uppercase + string.ascii_lowercase + string.digits) * 8


def test_where_an_authorization_was_begun() -> None:
    here = Server(issuer=PENDING.issuer)
    check_begun_at(here, PENDING)
    for elsewhere in (EVIL, "https://a.example", "https://z.example"):
        with pytest.raises(LocalProtocolError, match="begun at another server"):
            check_begun_at(Server(issuer=elsewhere), PENDING)
    with pytest.raises(LocalProtocolError, match="has no state"):
        check_begun_at(here, replace(PENDING, state=""))
