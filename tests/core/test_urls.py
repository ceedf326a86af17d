from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio.errors import LocalProtocolError, RemoteProtocolError
from oauth2_sansio.events import Endpoint
from oauth2_sansio.urls import (
    LONGEST_CALLBACK,
    LONGEST_URL,
    MOST_PARAMETERS,
    Parameters,
    add_params_to_uri,
    add_to_query,
    check_url,
    is_loopback,
    read_query,
    same_origin,
    split_callback,
    target_uri,
    url_decode,
    url_encode,
)

HALF_A_PAIR = "\ud800"
A_LONG_HOST = ".".join(["a" * 62] * 4)  # 251 characters

CHARACTER = "holds a character that no URL may hold"
NOT_ABSOLUTE = "is not an absolute https URL"
USER = "holds a user name or a password"
FRAGMENT = "has a fragment"
MALFORMED = "has a malformed host, port or path"


@pytest.mark.parametrize(
    "url",
    [
        "https://server.example",
        "https://server.example/token",
        "https://server.example/token?tenant=a%20b&x[]=1",
        "https://server.example?tenant=a",
        "https://server.example:8443/",
        "https://server.example:1/",
        "https://server.example:65535/",
        "https://server.example./token",
        "HTTPS://Server.Example/Token",
        "https://my_server.example/~a/(b);c=d,e'!$*+@:",
        "https://xn--bcher-kva.example/",
        f"https://{A_LONG_HOST}.a/",
        "https://192.0.2.1/token",
        "https://[2001:db8::1]:8443/token",
        "https://server.example/@path?user@host",
        "http://127.0.0.1:8080/token",
        "http://127.255.255.254/",
        "http://[::1]:8080/",
        "http://LOCALHOST/",
        pytest.param("https://server.example/".ljust(LONGEST_URL, "a"), id="longest"),
    ],
)
def test_a_sound_url_is_returned_as_it_is(url: str) -> None:
    assert check_url(url, "token_endpoint") is url


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        pytest.param("", NOT_ABSOLUTE, id="empty"),
        ("/token", NOT_ABSOLUTE),
        ("server.example/token", NOT_ABSOLUTE),
        ("//server.example/token", NOT_ABSOLUTE),
        ("https:/server.example", NOT_ABSOLUTE),
        ("https:server.example", NOT_ABSOLUTE),
        ("javascript:alert(1)", NOT_ABSOLUTE),
        ("javascript://server.example/%0Aalert(1)", NOT_ABSOLUTE),
        ("file:///etc/passwd", NOT_ABSOLUTE),
        ("ftp://server.example/", NOT_ABSOLUTE),
        ("http:$(calc.exe)", NOT_ABSOLUTE),
        ("-https://server.example/", NOT_ABSOLUTE),
        ("--help", NOT_ABSOLUTE),
        ("http\u017f://server.example/", CHARACTER),
        (" https://server.example/", CHARACTER),
        ("https://server.example/\n", CHARACTER),
        ("https://server.example/a b", CHARACTER),
        ("https://server.ex\tample/", CHARACTER),
        ("https://server.example/\x00", CHARACTER),
        ("https://server.example/\x7f", CHARACTER),
        ("https://server.example\\@evil.example/", CHARACTER),
        ("https://bücher.example/", CHARACTER),
        ("https://server。example/", CHARACTER),
        ("https://user@server.example/", USER),
        ("https://user:password@server.example/", USER),
        ("https://@server.example/", USER),
        ("http://localhost:80@evil", USER),
        ("https://server.example/#", FRAGMENT),
        ("https://server.example#a", FRAGMENT),
        ("https://server.example/?a#b//c@d", FRAGMENT),
        ("https://", MALFORMED),
        ("https:///token", MALFORMED),
        ("https://:443/", MALFORMED),
        ("https://?a=b", MALFORMED),
        ("https://-server.example/", MALFORMED),
        ("https://a..example/", MALFORMED),
        ("https://.example/", MALFORMED),
        ("https://server%2eexample/", MALFORMED),
        ("https://$(calc.exe)/", MALFORMED),
        (f"https://{A_LONG_HOST}.ab/", MALFORMED),
        ("https://server.example:/", MALFORMED),
        ("https://server.example:0/", MALFORMED),
        ("https://server.example:65536/", MALFORMED),
        ("https://server.example:999999/", MALFORMED),
        ("https://server.example:-1/", MALFORMED),
        ("https://server.example:8a/", MALFORMED),
        ("https://server.example:80:80/", MALFORMED),
        ("https://2130706433/", MALFORMED),
        ("https://0x7f.1/", MALFORMED),
        ("https://127.1/", MALFORMED),
        ("https://server.0x7f000001/", MALFORMED),
        ("https://256.0.0.1/", MALFORMED),
        ("https://192.0.2.01/", MALFORMED),
        ("https://192.0.2.1./", MALFORMED),
        ("https://[::1/", MALFORMED),
        ("https://::1/", MALFORMED),
        ("https://[]/", MALFORMED),
        ("https://[1:2]/", MALFORMED),
        ("https://[127.0.0.1]/", MALFORMED),
        ("https://[v1.a]/", MALFORMED),
        ("https://[fe80::1%25eth0]/", MALFORMED),
        ("https://[::1]a/", MALFORMED),
        ("https://[::1]]/", MALFORMED),
        ("https://server.example/%", MALFORMED),
        ("https://server.example/%4", MALFORMED),
        ("https://server.example/%zz", MALFORMED),
        ('https://server.example/"', MALFORMED),
        ("https://server.example/{tenant}", MALFORMED),
        pytest.param(
            "https://server.example/".ljust(LONGEST_URL + 1, "a"),
            "is longer than 8000 characters",
            id="too long",
        ),
        pytest.param("server.example/".ljust(LONGEST_URL, "a"), NOT_ABSOLUTE, id="long enough"),
    ],
)
@pytest.mark.parametrize("allow_insecure_http", [False, True])
def test_a_url_that_may_not_be_asked_is_refused(
    url: str, fault: str, allow_insecure_http: bool
) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        check_url(
            url,
            "token_endpoint",
            allow_insecure_http=allow_insecure_http,
            endpoint=Endpoint.TOKEN,
        )
    assert caught.value.endpoint is Endpoint.TOKEN
    assert str(caught.value) == (
        f"local_protocol_error: token_endpoint {fault} (token endpoint); "
        "give an absolute https URL, such as https://server.example/path"
    )


@pytest.mark.parametrize(
    "host",
    [
        "server.example",
        "localhost.example",
        "localhost.",
        "128.0.0.1",
        "10.0.0.1",
        "0.0.0.0",
        "[::2]",
        "[::]",
        "[::ffff:127.0.0.1]",
    ],
)
def test_plain_http_is_for_loopback_hosts_alone(host: str) -> None:
    url = f"http://{host}/token?secret"
    assert not is_loopback(host)
    with pytest.raises(LocalProtocolError) as caught:
        check_url(url, "token_endpoint", endpoint=Endpoint.TOKEN)
    assert caught.value.endpoint is Endpoint.TOKEN
    assert str(caught.value) == (
        "local_protocol_error: token_endpoint is plain http, which anyone on the way can read and "
        "change (token endpoint); use https; allow_insecure_http=True is for tests alone"
    )
    assert check_url(url, "token_endpoint", allow_insecure_http=True) is url


@given(st.text())
def test_any_url_is_returned_or_refused(text: str) -> None:
    for url in (text, f"https://{text}", f"https://server.example/{text}"):
        try:
            assert check_url(url, "it") == url
            assert url.isascii()
            assert url.isprintable()
        except LocalProtocolError:
            continue


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("[::1]", True),
        ("0:0:0:0:0:0:0:1", True),
        ("localhost", True),
        ("LocalHost", True),
        ("", False),
        ("[]", False),
        ("[localhost]", False),
        ("[::11", False),
        ("1::1]", False),
        ("[127.0.0.1]", False),
        ("::1%lo", False),
        ("127.1", False),
        ("127.0.0.1.example", False),
        ("127.255.249.199", True),
        ("127.0.0.256", False),
        ("127.0.0.01", False),
        ("127.0.0.1.", False),
        ("127.0.0.1\n", False),
        ("127.0.0.0.1", False),
        ("128.0.0.1", False),
        ("2130706433", False),
        ("a.localhost", False),
    ],
)
def test_loopback_hosts_are_told_by_what_is_written(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("https://a.example/x", "https://a.example?y#z", True),
        ("https://a.example", "https://A.EXAMPLE:443/", True),
        ("http://a.example/", "HTTP://a.example:80", True),
        ("https://[::1]/", "https://[::1]:443/", True),
        ("https://a.example", "http://a.example", False),
        ("https://a.example:80", "http://a.example:80", False),
        ("https://a.example", "https://a.example:8443", False),
        ("https://a.example", "https://b.example", False),
        ("https://a.example", "https://a.example.evil.example", False),
        ("https://a.example", "https://a.example@evil.example", False),
        ("https://a.example", "https://a.example\\@evil.example", False),
        ("https://a.example", "https://a.example\t.evil.example", False),
        ("https://a.example", " https://a.example", False),
        ("https://a.example", "/path", False),
        ("/path", "/path", False),
        ("custom://a", "custom://a", False),
        ("https://a:0", "https://a:0", False),
    ],
)
def test_an_origin_is_scheme_host_and_port(one: str, other: str, expected: bool) -> None:
    assert same_origin(one, other) is expected
    assert same_origin(other, one) is expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example", "https://a.example?a=b%20c&a=%2B%26"),
        ("https://a.example/p?", "https://a.example/p?a=b%20c&a=%2B%26"),
        ("https://a.example/p?x=%7e+y", "https://a.example/p?x=%7e+y&a=b%20c&a=%2B%26"),
        ("https://a.example/p?x&", "https://a.example/p?x&a=b%20c&a=%2B%26"),
        ("https://a.example/p#f?g", "https://a.example/p?a=b%20c&a=%2B%26#f?g"),
        ("https://a.example/p?x#", "https://a.example/p?x&a=b%20c&a=%2B%26#"),
        ("com.example:/cb", "com.example:/cb?a=b%20c&a=%2B%26"),
    ],
)
def test_parameters_go_to_the_end_of_the_query(url: str, expected: str) -> None:
    assert add_to_query(url, (("a", "b c"), ("a", "+&"))) == expected
    assert add_to_query(url, ()) == url


def test_all_but_unreserved_characters_are_escaped() -> None:
    assert add_to_query("x:/", (("ü/~", "-._~ *%"),)) == "x:/?%C3%BC%2F~=-._~%20%2A%25"


def test_half_a_surrogate_pair_cannot_be_sent() -> None:
    with pytest.raises(LocalProtocolError) as caught:
        add_to_query("https://a.example", (("password", f"secret{HALF_A_PAIR}"),))
    assert "surrogate" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("&&", {}),
        ("code=a&state=b", {"code": "a", "state": "b"}),
        ("code=a&&state=b&", {"code": "a", "state": "b"}),
        ("code=&state", {"code": "", "state": ""}),
        ("a=b=c", {"a": "b=c"}),
        ("a=b;c=d", {"a": "b;c=d"}),
        ("a+b=c+d%2Be%20f", {"a b": "c d+e f"}),
        ("c%6Fde=%C3%BC%F0%9F%98%80", {"code": "ü😀"}),
        ("error_description=für", {"error_description": "für"}),
        ("a=%00", {"a": "\x00"}),
        ("a=1&A=2", {"a": "1", "A": "2"}),
        pytest.param(
            "&".join(f"a{n}=" for n in range(MOST_PARAMETERS)),
            {f"a{n}": "" for n in range(MOST_PARAMETERS)},
            id="most parameters",
        ),
        pytest.param(
            "a=".ljust(LONGEST_CALLBACK, "b"), {"a": "b" * (LONGEST_CALLBACK - 2)}, id="longest"
        ),
    ],
)
def test_an_answer_is_read(text: str, expected: dict[str, str]) -> None:
    assert read_query(text, what="the callback") == expected


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        pytest.param(
            "".ljust(LONGEST_CALLBACK + 1, "s"), "is longer than 65536 characters", id="long"
        ),
        pytest.param("&" * MOST_PARAMETERS, "has more than 100 parameters", id="many"),
        ("a=s b", "holds a space or a control character"),
        ("a=s\r\nb", "holds a space or a control character"),
        ("a=s\x7f", "holds a space or a control character"),
        ("a=s%", "is not form encoded UTF-8"),
        ("a=s%4", "is not form encoded UTF-8"),
        ("a=s%zz", "is not form encoded UTF-8"),
        ("a=s%+1", "is not form encoded UTF-8"),
        ("s%zz=a", "is not form encoded UTF-8"),
        ("a=s%FF", "is not form encoded UTF-8"),
        ("a=s%C0%80", "is not form encoded UTF-8"),
        ("a=s%ED%A0%80", "is not form encoded UTF-8"),
        ("a=s%C3", "is not form encoded UTF-8"),
        (f"a=s{HALF_A_PAIR}", "is not form encoded UTF-8"),
        ("=s", "has a parameter without a name"),
        ("a=b&=", "has a parameter without a name"),
        ("code=s&code=s", "has code more than once"),
        ("code=s&code", "has code more than once"),
        ("code=s&c%6Fde=t", "has code more than once"),
        ("s9A=&s9A=", "has a parameter more than once"),
    ],
)
def test_an_answer_that_is_not_plain_is_refused(text: str, fault: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        read_query(text, what="the callback")
    assert str(caught.value) == f"remote_protocol_error: the callback {fault}"
    assert caught.value.__context__ is None


@given(st.text())
def test_any_answer_is_read_or_refused(text: str) -> None:
    try:
        assert "" not in read_query(text, what="it")
    except RemoteProtocolError:
        return


@given(st.dictionaries(st.text(min_size=1), st.text(), max_size=MOST_PARAMETERS))
def test_what_was_added_is_what_is_read(parameters: dict[str, str]) -> None:
    try:
        url = add_to_query("https://a.example/cb", tuple(parameters.items()))
    except LocalProtocolError:
        return  # half of a surrogate pair
    query, fragment = split_callback(url)
    assert (read_query(query, what="it"), fragment) == (parameters, "")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/cb?code=a&state=b", ("code=a&state=b", "")),
        ("https://a.example/cb#code=a", ("", "code=a")),
        ("https://a.example/cb?a=b?c#d#e?f", ("a=b?c", "d#e?f")),
        ("https://a.example?a", ("a", "")),
        ("https://a.example", ("", "")),
        ("com.example.app:/cb?code=a", ("code=a", "")),
        ("com.example.app:cb?code=a", ("code=a", "")),
        ("com.example.app://cb?code=a", ("code=a", "")),
        ("http://[::1]:8080/cb?code=a", ("code=a", "")),
        ("http://user@[::1]/cb?code=a", ("code=a", "")),
        ("/cb?code=a", ("code=a", "")),
        ("https://bücher.example/cb?a=ü", ("a=ü", "")),
        pytest.param(
            "a:?".ljust(LONGEST_CALLBACK, "b"), ("b" * (LONGEST_CALLBACK - 3), ""), id="l"
        ),
    ],
)
def test_a_callback_falls_into_query_and_fragment(url: str, expected: tuple[str, str]) -> None:
    assert split_callback(url) == expected


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        pytest.param(
            "a:".ljust(LONGEST_CALLBACK + 1, "s"), "is longer than 65536 characters", id="long"
        ),
        (" https://a.example/cb?code=s", "holds a space or a control character"),
        ("https://a.example/cb?code=s\n", "holds a space or a control character"),
        ("https://a.example/cb?code=s\x00", "holds a space or a control character"),
        pytest.param("", "is not a URL", id="empty"),
        ("code=s", "is not a URL"),
        ("?code=s", "is not a URL"),
        ("//a.example/cb?code=s", "is not a URL"),
        ("1a:/cb?code=s", "is not a URL"),
        ("https://[::1/cb?code=s", "is not a URL"),
        ("https://::1]/cb?code=s", "is not a URL"),
        ("https://[s]/cb", "is not a URL"),
        ("https://[::1]s/cb", "is not a URL"),
    ],
)
def test_a_callback_that_is_no_url_is_refused(url: str, fault: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        split_callback(url)
    assert f"remote_protocol_error: the callback {fault}" in str(caught.value)
    assert "code=s" not in str(caught.value)


@given(st.text())
def test_any_callback_is_split_or_refused(text: str) -> None:
    for url in (text, f"https://{text}", f"https://[{text}]/"):
        try:
            query, fragment = split_callback(url)
        except RemoteProtocolError:
            continue
        assert url.endswith(fragment)
        assert query in url


@pytest.mark.parametrize(
    ("uri", "params", "fragment", "expected"),
    [
        ("https://a.example", {"a": "b c"}, False, "https://a.example?a=b+c"),
        ("https://a.example?x=%7e", [("a", 1)], False, "https://a.example?x=%7e&a=1"),
        ("https://a.example?x#f", [("a", "b")], False, "https://a.example?x&a=b#f"),
        ("https://a.example?x#f", [("a", "b")], True, "https://a.example?x#f&a=b"),
        ("https://a.example?x", (("a", "b"),), True, "https://a.example?x#a=b"),
        ("https://a.example?x#", [], True, "https://a.example?x#"),
        ("https://a.example?x#", {}, False, "https://a.example?x#"),
    ],
)
def test_params_are_added_to_a_uri(
    uri: str, params: Parameters, fragment: bool, expected: str
) -> None:
    assert add_params_to_uri(uri, params, fragment) == expected
    if not fragment:
        assert add_params_to_uri(uri, params) == expected


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ([], ""),
        ([("a", "b c"), ("a", "ü")], "a=b+c&a=%C3%BC"),
        ([("a", 1), ("b", 1.5), ("c", True)], "a=1&b=1.5&c=True"),
        ([(b"a", b"\xff")], "a=%FF"),
        ([("a", None), ("b", "")], "b="),
        ({"a": "b", "c": None}, "a=b"),
        (iter([("a", "b"), ("c", "d")]), "a=b&c=d"),
    ],
)
def test_params_are_encoded(params: Parameters, expected: str) -> None:
    assert url_encode(params) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", []),
        ("a=b&a=c+d%20e", [("a", "b"), ("a", "c d e")]),
        ("c2&a=&=x&", [("c2", ""), ("a", ""), ("", "x")]),
        ("a=%C3%BC;:~,*@!()/?", [("a", "ü;:~,*@!()/?")]),
    ],
)
def test_a_form_encoded_text_is_decoded(query: str, expected: list[tuple[str, str]]) -> None:
    assert url_decode(query) == expected


@pytest.mark.parametrize(
    "query", ["s=a b", "s=ü", "s=<", "s={}", 's="', "s=%", "s=%z1", "%f=s", "s=%ff"]
)
def test_what_is_not_form_encoded_is_a_value_error(query: str) -> None:
    with pytest.raises(ValueError, match=r"^not form encoded: [a-zA-Z0-9 ,-]+$") as caught:
        url_decode(query)
    assert query not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.example.com", "https://api.example.com/"),
        ("HTTPS://API.Example.com:443/a/../b?q=1#f", "https://api.example.com/b"),
        ("http://[::1]:8080/a?b/../c", "http://[::1]:8080/a"),
        ("http://h:80/#a/./b", "http://h/"),
        ("https://h/a/./b/..", "https://h/a/"),
        ("https://h/../../a/.", "https://h/a/"),
        ("https://h/.a/b../...", "https://h/.a/b../..."),
        ("https://h/%7E//A", "https://h/%7E//A"),
    ],
)
def test_the_url_that_a_proof_names(url: str, expected: str) -> None:
    assert target_uri(url, Endpoint.RESOURCE) == expected


@pytest.mark.parametrize(
    "url", ["", "/a", "ftp://h/", "https://u:p@h/", "https://h:0/", "https://"]
)
def test_what_no_proof_can_name(url: str) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        target_uri(url, Endpoint.TOKEN)
    assert caught.value.endpoint is Endpoint.TOKEN
