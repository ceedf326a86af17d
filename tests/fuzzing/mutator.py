"""Makes new inputs out of known ones: most of them nearly right, which is where readers go wrong.

An input is cut into tokens (words, numbers, signs) and units: whatever stands between brackets,
between quotation marks, or between two separators. JSON, forms, URLs, headers and JWTs all look
alike in this light, so nothing here knows any of them. A seed gives the same inputs each time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

_T = TypeVar("_T")

LONGEST_INPUT = 20_000
"""Bytes; longer ones are cut: they take their time and show nothing new."""

_TOKEN = re.compile(
    rb"[A-Za-z_]+|[0-9]+|\\u[0-9A-Fa-f]{4}|%[0-9A-Fa-f]{2}|[\x80-\xff]+|.", re.DOTALL
)
_SEPARATORS = frozenset((b",", b"&", b";", b"\n", b"|", b".", b"/", b"?", b"#"))
_SIGNS = frozenset((b":", b"="))
_CLOSING = {b"{": b"}", b"[": b"]"}

# What a member of a JSON document or a parameter may be, and is seldom.
_VALUES: tuple[bytes, ...] = (
    *(b"null", b"true", b"false", b"0", b"-1", b"1e5", b"1e308", b"0.5", b"-0.0", b"9" * 400),
    *(b"[]", b"{}", b'""', b'"\\ud800"', b'"\\u0000"', b'"\xc3\xbc"', b'["a","b"]', b'[1,"a"]'),
    *(b'{"error":"x"}', b'"3600"', b'"NaN"', b'"1_0"', b'" 1 "', b'"https://as.example"', b'"a b"'),
)

# What has ever been trouble for somebody who reads texts of others.
_TROUBLE: tuple[bytes, ...] = (
    *(b"", b"0", b"-1", b"1e999", b"-0.0", b"NaN", b"Infinity", b"9" * 401, b"1" * 20, b"0x10"),
    *(b"null", b"true", b"false", b"[]", b"{}", b'""', b'"\\ud800"', b'"\\u0000"', b"[[]]"),
    *(
        b"\x00",
        b"\r\n",
        b"\t",
        b" ",
        b"\x7f",
        b"\xff",
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"\xef\xbb\xbf",
    ),
    *(b"\xe2\x80\xa8", b"\xc2\xa0", b"\xd9\xa1", b"\xc4\xb0", b"\xf0\x9f\x98\x80", b"\xef\xbc\x9d"),
    *(
        b"%",
        b"%00",
        b"%0d%0a",
        b"%ff",
        b"%C0%80",
        b"%25",
        b"%u0041",
        b"+",
        b"=",
        b"==",
        b"&&",
        b"&=",
    ),
    *(b'"', b"\\", b'\\"', b"'", b"<", b"(", b")", b",", b":", b"//", b"@", b"[::1]", b"..", b"~"),
    *(b'"a"', b"a" * 300, b"[" * 2000, b'{"a":' * 2000, b"&a=b" * 101, b'a="b",' * 101, b"." * 50),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """A known input, taken apart. Begin and end are counted in tokens.

    units: what stands between two separators, and what stands in brackets, together with them.
    values: what follows a name and the sign that belongs to it; all units where there is none.
    """

    tokens: tuple[bytes, ...]
    units: tuple[tuple[int, int], ...]
    values: tuple[tuple[int, int], ...]


def take_apart(data: bytes) -> Sample:
    """Return the tokens, units and values of an input."""
    tokens = tuple(_TOKEN.findall(data))
    units: list[tuple[int, int]] = []
    values: list[tuple[int, int]] = []
    opened: list[tuple[int, int]] = []  # where a bracket opens, and where the unit around it began
    signs: dict[int, int] = {}  # where in a unit its sign is
    begin, is_quoted = 0, False

    def end(at: int) -> None:
        if begin < at:
            units.append((begin, at))
            if begin in signs:
                values.append((signs[begin] + 1, at))

    for at, token in enumerate(tokens):
        if token == b'"':
            is_quoted = not is_quoted
        elif is_quoted:
            continue
        elif token in _SIGNS:
            signs.setdefault(begin, at)
        elif token in _CLOSING:
            opened.append((at, begin))
            begin = at + 1
        elif opened and token == _CLOSING[tokens[opened[-1][0]]]:
            end(at)
            opening, begin = opened.pop()
            units.append((opening, at + 1))
        elif token in _SEPARATORS:
            end(at)
            begin = at + 1
    end(len(tokens))
    all_units = tuple(units) or ((0, len(tokens)),)
    return Sample(tokens, all_units, tuple(values) or all_units)


class Mutator:
    """Yields inputs, the same ones for the same seed and samples.

    seed: a text or number.
    samples: the known inputs.
    """

    def __init__(self, seed: str | int, samples: Sequence[bytes]) -> None:
        self._random = Random(seed).random
        self._samples = [take_apart(each) for each in samples]
        self._words = sorted({b"", *(token for each in self._samples for token in each.tokens)})

    def next(self) -> bytes:
        """Return the next input."""
        sample = self._pick(self._samples)
        tokens = list(sample.tokens)
        chance = self._random()
        if chance < 0.4:
            self._pick(_OF_VALUES)(self, tokens, self._pick(sample.values))
        elif chance < 0.7:
            self._pick(_OF_UNITS)(self, tokens, self._pick(sample.units))
        if chance > 0.6:
            for _ in range(1 + int(self._random() * 3)):
                self._pick(_OF_TOKENS)(self, tokens, self._at(tokens))
        data = b"".join(tokens)[:LONGEST_INPUT]
        return self._damaged(data) if self._random() < 0.1 else data

    def _pick(self, choices: Sequence[_T]) -> _T:
        return choices[int(self._random() * len(choices))]

    def _at(self, sequence: Sequence[object]) -> int:
        return int(self._random() * (len(sequence) + 1))

    def _damaged(self, data: bytes) -> bytes:
        # As a line that is broken damages it: without a look at what it is.
        at = self._at(data)
        match int(self._random() * 4):
            case 0:
                return data[:at]
            case 1:
                return data[:at] + bytes((int(self._random() * 256),)) + data[at + 1 :]
            case 2:
                return data[:at] + data[self._at(data) :]
            case _:
                return data[:at] + bytes((int(self._random() * 256),)) + data[at:]

    # Of units. Each of these changes the tokens in place.

    def _drop(self, tokens: list[bytes], unit: tuple[int, int]) -> None:
        begin, end = unit
        is_followed = end < len(tokens) and tokens[end] in _SEPARATORS
        is_preceded = begin > 0 and tokens[begin - 1] in _SEPARATORS
        del tokens[begin - (is_preceded and not is_followed) : end + is_followed]

    def _double(self, tokens: list[bytes], unit: tuple[int, int]) -> None:
        self._repeat(tokens, unit, 1)

    def _multiply(self, tokens: list[bytes], unit: tuple[int, int]) -> None:
        self._repeat(tokens, unit, self._pick((2, 101, 1000)))

    def _repeat(self, tokens: list[bytes], unit: tuple[int, int], often: int) -> None:
        begin, end = unit
        is_followed = end < len(tokens) and tokens[end] in _SEPARATORS
        sign = tokens[end : end + 1] if is_followed else tokens[max(begin - 1, 0) : begin]
        tokens[end:end] = ([*sign, *tokens[begin:end]] * often)[:LONGEST_INPUT]

    def _exchange(self, tokens: list[bytes], unit: tuple[int, int]) -> None:
        begin, end = unit
        for _ in range(4):  # by one that looks like it, if there is one
            other = self._pick(self._samples)
            first, last = self._pick(self._pick((other.units, other.values)))
            if list(other.tokens[first : first + 1]) == tokens[begin : begin + 1]:
                break
        tokens[begin:end] = other.tokens[first:last]

    def _trouble_instead(self, tokens: list[bytes], unit: tuple[int, int]) -> None:
        tokens[slice(*unit)] = [self._pick(_TROUBLE)]

    def _value_instead(self, tokens: list[bytes], unit: tuple[int, int]) -> None:
        tokens[slice(*unit)] = [self._pick(_VALUES)]

    def _nest(self, tokens: list[bytes], unit: tuple[int, int]) -> None:
        depth = self._pick((1, 2, 50, 3000))
        begin, end = unit
        tokens[begin:end] = [b"[" * depth, *tokens[begin:end], b"]" * depth]

    def _move(self, tokens: list[bytes], unit: tuple[int, int]) -> None:
        moved = tokens[slice(*unit)]
        self._drop(tokens, unit)
        at = self._pick([each for each, token in enumerate(tokens) if token in _SEPARATORS] or [0])
        tokens[at:at] = [*tokens[at : at + 1], *moved]

    # Of single tokens.

    def _insert_trouble(self, tokens: list[bytes], at: int) -> None:
        tokens.insert(at, self._pick(_TROUBLE))

    def _insert_word(self, tokens: list[bytes], at: int) -> None:
        tokens.insert(at, self._pick(self._words))

    def _other_word(self, tokens: list[bytes], at: int) -> None:
        tokens[at : at + 1] = [self._pick(self._words)]

    def _drop_token(self, tokens: list[bytes], at: int) -> None:
        del tokens[at : at + 1]

    def _other_case(self, tokens: list[bytes], at: int) -> None:
        tokens[at : at + 1] = [token.swapcase() for token in tokens[at : at + 1]]

    def _escape(self, tokens: list[bytes], at: int) -> None:
        form = self._pick((b"%%%02X", b"\\u%04x"))
        tokens[at : at + 1] = [
            b"".join(form % byte for byte in token[:40]) for token in tokens[at : at + 1]
        ]


# `_multiply` and `_nest` cost most, and are not more often of use than others.
_OF_VALUES: tuple[Callable[[Mutator, list[bytes], tuple[int, int]], None], ...] = (
    *(Mutator._value_instead, Mutator._exchange) * 4,
    *(Mutator._trouble_instead, Mutator._nest),
)
_OF_UNITS: tuple[Callable[[Mutator, list[bytes], tuple[int, int]], None], ...] = (
    *(Mutator._drop, Mutator._double, Mutator._exchange, Mutator._move) * 3,
    *(Mutator._trouble_instead, Mutator._value_instead, Mutator._multiply),
)
_OF_TOKENS: tuple[Callable[[Mutator, list[bytes], int], None], ...] = (
    *(Mutator._insert_trouble, Mutator._insert_word, Mutator._other_word, Mutator._drop_token),
    *(Mutator._other_case, Mutator._escape),
)
