"""Look for the 1 MiB answer that takes longest to refuse, and compare it with parsing plain JSON.

    python -m benchmarks.worst_answers

Answers are made of one piece again and again, in every place of an answer where a reader may take
long over it, with each status and media type that is read in a way of its own.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from math import inf

from oauth2_sansio import Answer, Endpoint, OAuth2Error, RequestToSend, ResponseReceived
from oauth2_sansio.answers import MAXIMUM_BODY
from oauth2_sansio.tokens import read_token

GOAL = 3.0
"""How many times as long as plain JSON the worst answer may take."""

_SHOWN = 12
_FIRST_TURNS, _LAST_TURNS = 2, 25

PIECES: tuple[bytes, ...] = (
    *(b"[", b"{", b"[[]", b"{}", b"[]", b'""', b'{"a":', b'"', b",", b":", b"[1,", b'{"a":1},'),
    *(b"7,", b"1.5e7,", b"9" * 400 + b",", b"9" * 17 + b",", b"0." + b"9" * 390 + b",", b"9", b"-"),
    *(b"null,", b"true,", b"NaN,", b'"a",', b'"\\n",', b'{"a":1,"a":2},'),
    *(b"\\n", b"\\u0041", b"\\u00e9", b"\\ud83d", b"\\ud83d\\ude00", b"\\/a", b"\\\\", b'\\"'),
    *(b"a", b"a ", b" ", b"\n", b"\t", b"\0", b"\x7f", b"\xff", b"\xc3\xa9", b"\xf0\x9f\x98\x80"),
    *(b"<", b"<a>", b"<a", b">", b"&", b"&amp;", b"&#x41;", b"&amp", b"%", b"%41", b"%2541", b"+"),
    *(b"a=b&", b"&", b"=", b";", b"token=", b'token":"', b"token: ", b"secret ", b"-", b"the-code"),
)
FRAMES: tuple[tuple[bytes, bytes], ...] = (
    (b"", b""),
    (b"{", b"}"),
    (b'{"a":', b"}"),
    (b'{"a":[', b"7]}"),
    (b'{"a":"', b'"}'),
    (b'{"access_token":"', b'"}'),
    (b'{"access_token":"a","refresh_token":"', b'\\u0000"}'),
    (b'{"access_token":"a","expires_in":"', b'"}'),
    (b'{"access_token":"a","scope":["', b'"]}'),
    (b'{"error":"', b'"}'),
    (b'{"error":{"a":"', b'"}}'),
    (b'{"error":"x","error_description":"', b'"}'),
    (b'{"error":"x","error_uri":"', b'"}'),
    (b'{"a":1,"a":"', b'"}'),
    (b"access_token=a&b=", b""),
    (b"<html>", b"</html>"),
)
KINDS: tuple[tuple[int, str], ...] = (
    (200, "application/json"),
    (200, "application/x-www-form-urlencoded"),
    (400, "application/json"),
    (500, "text/html"),
)

REQUEST = RequestToSend(
    endpoint=Endpoint.TOKEN,
    url="https://server.example/token",
    headers=(("Authorization", "Basic YXBwOmNsaWVudC1zZWNyZXQtOWYyYw=="),),
    form=(
        ("grant_type", "authorization_code"),
        ("code", "the-code-" + "c" * 40),
        ("code_verifier", "v" * 43),
        ("refresh_token", "r" * 1_000),
    ),
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One answer: a piece again and again within a frame."""

    piece: bytes
    frame: tuple[bytes, bytes]
    kind: tuple[int, str]

    @property
    def body(self) -> bytes:
        """The body, as near to 1 MiB as the piece lets it come."""
        begin, end = self.frame
        room = MAXIMUM_BODY - len(begin) - len(end)
        return begin + self.piece * (room // len(self.piece)) + end

    def __str__(self) -> str:
        piece = self.piece if len(self.piece) <= 20 else self.piece[:17] + b"..."
        begin, end = self.frame
        return f"{self.kind[0]} {self.kind[1]}: {begin!r} {piece!r} {end!r}"


def main() -> int:
    """Search, measure the worst again in turns, and print how many times as long they take."""
    print(__doc__)
    plain = _plain()
    print(
        f"plain JSON: {len(plain)} bytes of members with texts of thirty letters, by json.loads\n"
    )
    found = [(_quickest(_reading(each), _FIRST_TURNS), each) for each in _candidates()]
    found.sort(key=lambda pair: pair[0], reverse=True)
    print(f"{len(found)} answers; the {_SHOWN} that seem to take longest, measured again:\n")
    again = [(_times_as_long(each, plain), each) for _, each in found[:_SHOWN]]
    again.sort(key=lambda pair: pair[0], reverse=True)
    for ratio, candidate in again:
        print(f"  {ratio:6.2f}  {candidate}")
    worst = again[0][0]
    print(f"\n  goal {GOAL:g}: {'met' if worst <= GOAL else 'missed'}")
    return 0


def _candidates() -> Iterator[Candidate]:
    return (Candidate(piece, frame, kind) for piece in PIECES for frame in FRAMES for kind in KINDS)


def _reading(candidate: Candidate) -> Callable[[], None]:
    status, media_type = candidate.kind
    response = ResponseReceived(
        status=status, headers=(("Content-Type", media_type),), body=candidate.body
    )
    answer = Answer(REQUEST, response, 1_800_000_000.0)

    def read() -> None:
        with suppress(OAuth2Error):
            read_token(answer)

    return read


def _times_as_long(candidate: Candidate, plain: bytes) -> float:
    read = _reading(candidate)
    ours, theirs = inf, inf
    for _ in range(_LAST_TURNS):  # in turns
        ours = min(ours, _seconds(read))
        theirs = min(theirs, _seconds(lambda: json.loads(plain)))
    return ours / theirs


def _quickest(step: Callable[[], object], turns: int) -> float:
    return min(_seconds(step) for _ in range(turns))


def _seconds(step: Callable[[], object]) -> float:
    # Of the processor, for this process: what others do meanwhile does not count.
    began = time.process_time()
    step()
    return time.process_time() - began


def _plain() -> bytes:
    text = b"a text of thirty letters, or so"
    members: list[bytes] = []
    length = 2
    while length + 50 < MAXIMUM_BODY:
        members.append(b'"member%05d":"%b"' % (len(members), text))
        length += len(members[-1]) + 1
    return b"{" + b",".join(members) + b"}"


if __name__ == "__main__":
    sys.exit(main())
