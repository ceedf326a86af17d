"""Answers that come too slowly, or not at all, and what TLS adds."""

from __future__ import annotations

from .row import (
    CHUNKED,
    CUT,
    FAILED,
    GOOD,
    GOOD_CHUNKED,
    KEEP,
    LATE,
    NOT_SENT,
    OK,
    OVER_H11,
    OVER_HTTPX,
    REFUSED,
    RESET,
    SILENCE,
    SMUGGLED,
    SPACES,
    TOKEN,
    TOKEN_BODY,
    TRIO,
    UNTIL_THE_END,
    Differs,
    Row,
    chunk,
    with_length,
)
from .scripts import Begin, Drip, Flood, Script

LATE_ANSWERS = (
    Row("silence", Script(end=SILENCE), LATE),
    Row("silence in the status line", Script((b"HTTP/1.1 2",), end=SILENCE), LATE),
    Row("silence in the headers", Script((OK,), end=SILENCE), LATE),
    Row("silence before the body", Script((GOOD[: -len(TOKEN_BODY)],), end=SILENCE), LATE),
    Row("silence in the body", Script((GOOD[:-1],), end=SILENCE), LATE),
    Row(
        "silence before the end of the connection",
        Script((UNTIL_THE_END + TOKEN_BODY,), end=SILENCE),
        LATE,
    ),
    Row("silence in a chunk", Script((CHUNKED + chunk(TOKEN_BODY)[:-9],), end=SILENCE), LATE),
    Row("silence before the last chunk", Script((GOOD_CHUNKED,), end=SILENCE), LATE),
    Row("silence in the trailers", Script((GOOD_CHUNKED + b"0\r\nA: b\r\n",), end=SILENCE), LATE),
    Row(
        "silence after 100 Continue", Script((b"HTTP/1.1 100 Continue\r\n\r\n",), end=SILENCE), LATE
    ),
    Row("a status line that drips", Script((b"HTTP/1.1 200 ", Drip(b"O", for_ever=True))), LATE),
    Row("headers that drip", Script((OK, Drip(b"A: b\r\n", for_ever=True))), LATE),
    Row("a header value that drips", Script((OK + b"A: ", Drip(b"b", for_ever=True))), LATE),
    Row(
        "a body that drips",
        Script((OK + b"Content-Length: 9999\r\n\r\n", Drip(b" ", for_ever=True))),
        LATE,
    ),
    Row("a body without end that drips", Script((UNTIL_THE_END, Drip(b" ", for_ever=True))), LATE),
    Row("chunks that drip", Script((CHUNKED, Drip(chunk(b" "), for_ever=True))), LATE),
    Row("a chunk size that drips", Script((CHUNKED, Drip(b"0", for_ever=True))), LATE),
    Row(
        "trailers that drip",
        Script((GOOD_CHUNKED + b"0\r\n", Drip(b"A: b\r\n", for_ever=True))),
        LATE,
    ),
    Row(
        "an error that drips", Script((b"HTTP/1.1 400 X\r\n\r\n", Drip(b" ", for_ever=True))), LATE
    ),
)

LOST_CONNECTIONS = (
    Row("a reset before the request", Script(begin=Begin.AT_ONCE, end=RESET), FAILED),
    Row("the end before the request", Script(begin=Begin.AT_ONCE), FAILED),
    Row("a reset after the request", Script(end=RESET), FAILED),
    Row("a reset in the headers", Script((OK,), end=RESET), FAILED),
    Row("a reset before the body", Script((GOOD[: -len(TOKEN_BODY)],), end=RESET), FAILED),
    Row("a reset in the body", Script((GOOD[:-1],), end=RESET), FAILED),
    Row("a reset in a chunk", Script((CHUNKED + chunk(TOKEN_BODY)[:-9],), end=RESET), FAILED),
    Row("a reset in place of the end", Script((UNTIL_THE_END + TOKEN_BODY,), end=RESET), FAILED),
)

ROWS_OF_TLS = (
    Row("a good answer", Script((GOOD,), end=KEEP), TOKEN),
    Row("good until the end of the connection", Script((UNTIL_THE_END + TOKEN_BODY,)), TOKEN),
    Row("a body that is cut", Script((GOOD[:-1],)), FAILED),
    Row("a body that is cut, unannounced", Script((GOOD[:-1],), end=CUT), FAILED),
    Row(
        "an unannounced end",
        Script((UNTIL_THE_END + TOKEN_BODY,), end=CUT),
        TOKEN,
        (Differs(TRIO, FAILED, "it takes an end that is not announced for a cut"),),
    ),
    Row(
        "an unannounced end in an object",
        Script((UNTIL_THE_END + TOKEN_BODY[:-1],), end=CUT),
        REFUSED,
        (Differs(TRIO, FAILED, "it takes an end that is not announced for a cut"),),
    ),
    Row("a reset in the body", Script((GOOD[:-1],), end=RESET), FAILED),
    Row("no answer", Script(), FAILED),
    Row("a second answer behind the first", Script((GOOD + SMUGGLED,), end=KEEP), TOKEN),
    Row(
        "a redirect",
        Script((with_length(b"", b"HTTP/1.1 307 X\r\nLocation: /elsewhere\r\n"),), end=KEEP),
        REFUSED,
    ),
    Row("a body without end", Script((UNTIL_THE_END, Flood(SPACES))), REFUSED),
    Row("headers without end", Script((OK, Flood(b"A: b\r\n" * 500))), FAILED),
    Row("silence", Script(end=SILENCE), LATE),
    Row("headers that drip", Script((OK, Drip(b"A: b\r\n", for_ever=True))), LATE),
    Row(
        "a body that drips",
        Script((OK + b"Content-Length: 9999\r\n\r\n", Drip(b" ", for_ever=True))),
        LATE,
    ),
    Row(
        "plain HTTP in place of TLS",
        Script((GOOD,), begin=Begin.BEFORE_TLS),
        FAILED,
        (
            Differs(
                OVER_H11,
                NOT_SENT,
                "it says that there was no connection yet; http.client does not tell",
            ),
        ),
        left_open=OVER_HTTPX,
    ),
    Row(
        "the end in place of TLS",
        Script(begin=Begin.BEFORE_TLS),
        FAILED,
        (
            Differs(
                OVER_H11,
                NOT_SENT,
                "it says that there was no connection yet; http.client does not tell",
            ),
        ),
        left_open=OVER_HTTPX,
    ),
    Row(
        "a reset in place of TLS",
        Script(begin=Begin.BEFORE_TLS, end=RESET),
        FAILED,
        (
            Differs(
                OVER_H11,
                NOT_SENT,
                "it says that there was no connection yet; http.client does not tell",
            ),
        ),
        left_open=OVER_HTTPX,
    ),
    Row(
        "silence in place of TLS",
        Script(begin=Begin.BEFORE_TLS, end=SILENCE),
        LATE,
        (Differs(TRIO, NOT_SENT, "it knows what it was waiting for; the others do not tell"),),
        left_open=OVER_HTTPX,
    ),
    Row(
        "drips in place of TLS",
        Script((Drip(b"\x16\x03\x03\x40\x00" + bytes(16_384)),), begin=Begin.BEFORE_TLS),
        LATE,
        (Differs(TRIO, NOT_SENT, "it knows what it was waiting for; the others do not tell"),),
        left_open=OVER_HTTPX,
    ),
)
