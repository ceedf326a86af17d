from __future__ import annotations

import copy
import pickle
import re
import sys
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio import challenges
from oauth2_sansio.challenges import (
    LONGEST_FIELDS,
    Challenge,
    read_challenges,
)


def basic(**parameters: str) -> Challenge:
    return Challenge("basic", parameters=parameters)


def bearer(**parameters: str) -> Challenge:
    return Challenge("bearer", parameters=parameters)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], ()),
        ([""], ()),
        ([" ,\t, "], ()),
        (["Bearer"], (bearer(),)),
        ([" bEARER "], (bearer(),)),
        (
            ['Bearer realm="a, b", error="invalid_token"'],
            (bearer(realm="a, b", error="invalid_token"),),
        ),
        (['bearer   error = "x"'], (bearer(error="x"),)),
        (["Bearer error\t=\tx\t,\tscope=y\t"], (bearer(error="x", scope="y"),)),
        (["Bearer ERROR=Invalid_Token"], (bearer(error="Invalid_Token"),)),
        ([r'Bearer realm="a\"b\\c\d"'], (bearer(realm=r'a"b\cd'),)),
        (['Bearer realm="a\\"", scope="b"'], (bearer(realm='a"', scope="b"),)),
        (['Bearer realm="ü\t "'], (bearer(realm="ü\t "),)),
        (['Bearer scope=""'], (bearer(scope=""),)),
        ([',, Bearer ,, realm="a" , , error="b" ,'], (bearer(realm="a", error="b"),)),
        (['Bearer, realm="a"'], (bearer(realm="a"),)),
        (["Basic, Bearer"], (basic(), bearer())),
        (["Basic", "Bearer"], (basic(), bearer())),
        (
            ['Basic realm="x", Bearer error=invalid_token, DPoP algs="ES256 PS256"'],
            (
                basic(realm="x"),
                bearer(error="invalid_token"),
                Challenge("dpop", parameters={"algs": "ES256 PS256"}),
            ),
        ),
        (
            ['Basic realm="Bearer error=invalid_token, DPoP"'],
            (basic(realm="Bearer error=invalid_token, DPoP"),),
        ),
        (
            ['Negotiate abc==, Bearer scope=""'],
            (Challenge("negotiate", token68="abc=="), bearer(scope="")),
        ),
        (["Negotiate a/b+c ,Basic"], (Challenge("negotiate", token68="a/b+c"), basic())),
        (["Negotiate a=,Basic"], (Challenge("negotiate", token68="a="), basic())),
        (["Basic a=b"], (basic(a="b"),)),
        (['Basic realm="x"', 'Basic realm="y"'], (basic(realm="x"), basic(realm="y"))),
    ],
)
def test_all_challenges_are_read(values: list[str], expected: tuple[Challenge, ...]) -> None:
    assert read_challenges(values) == expected
    assert read_challenges(iter(values)) == expected


@pytest.mark.parametrize(
    "malformed",
    [
        "Bearer error=a, error=b",
        'Bearer error=a, ERROR="a"',
        "Bearer error=a, realm=c, error=b",
        "Bearer error=a error=b",
        "Bearer realm=x, error=",
        "Bearer error=a, b/c",
        "Bearer realm=https://a.example/",
        "Bearer realm=ü",
        'Bearer realm="a"b',
        'Bearer realm="\x00"',
        'Bearer realm="a\r\nb"',
        'Bearer realm="\\\x7f"',
        'Bearer "a" "b"',
        "Bearer a=b=c",
        "Bearer, @",
        "Bearer a==, realm=b",
        "Bearer error=a, =b",
        "Bearer a b c",
    ],
)
def test_a_malformed_challenge_is_left_out_alone(malformed: str) -> None:
    expected = (basic(realm="x"), Challenge("digest", parameters={"nonce": "y"}))
    assert read_challenges([f'Basic realm="x", {malformed}, Digest nonce="y"']) == expected


@pytest.mark.parametrize("piece", ["@", "a=", "a = ", "Bearer ==", 'a="b"c', '"a"'])
def test_a_piece_that_begins_no_challenge_spoils_the_one_it_goes_on_with(piece: str) -> None:
    assert read_challenges([f'Basic realm="x", {piece}, Bearer']) == (bearer(),)


@pytest.mark.parametrize("data", ["error", "error=", "invalid_token=="])
def test_a_lone_word_is_data_and_no_parameter(data: str) -> None:
    assert read_challenges([f"Bearer {data}"]) == (Challenge("bearer", token68=data),)


@pytest.mark.parametrize(
    "unclosed",
    [
        'Bearer error="invalid_token',
        'Bearer error="invalid_token\\"',
        'Bearer error="invalid_token\\',
        'Bearer error=invalid_token"',
        'Bearer error=invalid_token, "',
        'Bearer error=invalid_token, realm="a, DPoP error=invalid_token',
        'Bearer "',
    ],
)
def test_behind_an_unclosed_quote_nothing_is_read(unclosed: str) -> None:
    values = [f'Basic realm="x", {unclosed}', "DPoP"]
    assert read_challenges(values) == (basic(realm="x"), Challenge("dpop"))


@pytest.mark.parametrize("value", ["realm=x", 'realm="x", error=y', "@", "=", '"', '"Bearer"', "ü"])
def test_what_belongs_to_no_challenge_is_left_out(value: str) -> None:
    assert read_challenges([f"{value}"]) == ()
    assert read_challenges(["Basic", value, "Bearer"]) == (basic(), bearer())


def test_there_are_limits() -> None:
    assert read_challenges(["Basic"] * 150) == (basic(),) * 100
    assert read_challenges(["Basic," * 150]) == (basic(),) * 100
    longest = "Bearer".ljust(65_536)
    assert read_challenges([longest, "", "B", "Basic"]) == (bearer(),)
    assert read_challenges(["Basic", longest, "Basic"]) == (basic(),)


@given(st.lists(st.text() | st.text(alphabet='aB="\\, \t=~ü\x00\ud800'), max_size=5))
def test_no_text_raises(values: list[str]) -> None:
    for challenge in read_challenges(values):
        assert repr(challenge).isascii()
        assert repr(challenge).isprintable()
        assert challenge.scheme == challenge.scheme.lower() != ""
        assert all(name == name.lower() != "" for name in challenge.parameters)


_names = st.from_regex(r"[a-z][a-z0-9_-]{0,10}", fullmatch=True)
_values = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"))
_challenges = st.builds(
    lambda scheme, parameters: Challenge(scheme, parameters=parameters),
    _names,
    st.dictionaries(_names, _values, max_size=5),
)


def _written(challenge: Challenge) -> str:
    escaped = {name: re.sub(r'(["\\])', r"\\\1", it) for name, it in challenge.parameters.items()}
    return f"{challenge.scheme} " + ", ".join(f'{name}="{it}"' for name, it in escaped.items())


@given(st.lists(_challenges, max_size=5))
def test_what_was_written_is_what_is_read(written: list[Challenge]) -> None:
    assert read_challenges(map(_written, written)) == tuple(written)
    assert read_challenges([", ".join(map(_written, written))]) == tuple(written)


HOSTILE = [
    ",",
    " ",
    '"',
    "\\",
    "=",
    "a",
    "a ",
    "a,",
    "a=,",
    "a=b,",
    "a b,",
    'a="',
    'a="",',
    'a="\\",',
    '"",',
    '"\\"',
    "Bearer a==,",
    "Bearer a=b c=d,",
    '="a\\',
]


def _calls(value: str) -> int:
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        read_challenges([value])
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("prefix", ["", "Bearer ", 'Bearer realm="', "@"])
def test_the_number_of_calls_grows_no_faster_than_the_text(prefix: str, text: str) -> None:
    once, four_times = (_calls(prefix + text * times) for times in (200, 800))
    assert four_times <= 4 * once + 20


def test_no_pattern_goes_back_over_what_it_has_read() -> None:
    # With the test above: linear calls of patterns that are linear in themselves.
    patterns = [it.pattern for it in vars(challenges).values() if isinstance(it, re.Pattern)]
    assert len(patterns) == 6
    for pattern in patterns:
        without_classes = re.sub(r"\[\^?[^\]]*?(?<!\\)\]", "C", re.sub(r"\\[^\[\]]", "E", pattern))
        without_possessive = re.sub(r"[*+]\+", "", without_classes)
        assert not re.search(r"[*+]|\{[0-9]+,\}", without_possessive), pattern


def test_the_longest_hostile_fields_are_read_to_their_end() -> None:
    for text in HOSTILE:
        value = (text * LONGEST_FIELDS)[: LONGEST_FIELDS - 5]
        assert bearer() in read_challenges(["Bearer", value[6:]])


def test_a_challenge_has_typed_properties() -> None:
    value = (
        'DPoP realm="r", error=e, error_description="d d", error_uri="https://a.example/", '
        'scope="s t", resource_metadata="https://b.example/", acr_values="u v", max_age="5", '
        'algs="ES256  PS256"'
    )
    (challenge,) = read_challenges([value])
    assert challenge.scheme == "dpop"
    assert challenge.token68 is None
    assert challenge.realm == "r"
    assert challenge.error == "e"
    assert challenge.error_description == "d d"
    assert challenge.error_uri == "https://a.example/"
    assert challenge.scope == "s t"
    assert challenge.resource_metadata == "https://b.example/"
    assert challenge.acr_values == "u v"
    assert challenge.max_age == 5
    assert challenge.algs == ("ES256", "PS256")


def test_the_properties_of_an_empty_challenge_are_empty() -> None:
    challenge = bearer()
    assert challenge.realm is None
    assert challenge.error is None
    assert challenge.error_description is None
    assert challenge.error_uri is None
    assert challenge.scope is None
    assert challenge.resource_metadata is None
    assert challenge.acr_values is None
    assert challenge.max_age is None
    assert challenge.algs == ()


@pytest.mark.parametrize("value", ["", "-1", "1.5", "a", "\u0661", "1" * 11, "5 "])
def test_a_max_age_that_is_no_number_is_none(value: str) -> None:
    assert bearer(max_age=value).max_age is None


def test_a_challenge_is_a_value() -> None:
    parameters = {"error": "e"}
    challenge = Challenge("bearer", parameters=parameters)
    parameters["error"] = "changed"
    assert challenge == bearer(error="e")
    assert challenge != bearer(error="f")
    assert hash(challenge) == hash(bearer(error="e"))
    assert pickle.loads(pickle.dumps(challenge)) == challenge
    assert copy.deepcopy(challenge) == challenge
    with pytest.raises(TypeError):
        challenge.parameters["error"] = "changed"  # type: ignore[index]  # it is read-only


@pytest.mark.parametrize(
    ("challenge", "expected"),
    [
        (Challenge("negotiate", token68="secret"), "Challenge(scheme='negotiate')"),
        (bearer(realm="secret"), "Challenge(scheme='bearer')"),
        (
            bearer(error="a'\x1b[31mü", error_description="secret"),
            "Challenge(scheme='bearer', error=\"a'\\x1b[31m\\xfc\")",
        ),
        (bearer(error="a" * 60), f"Challenge(scheme='bearer', error='{'a' * 60}')"),
        (bearer(error="a" * 61), f"Challenge(scheme='bearer', error='{'a' * 57}...')"),
    ],
)
def test_repr_shows_scheme_and_error_alone(challenge: Challenge, expected: str) -> None:
    assert repr(challenge) == expected
