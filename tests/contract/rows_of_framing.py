"""Answers that are no HTTP/1.1, or not quite."""

from __future__ import annotations

from .row import (
    CHUNKED,
    ERROR_BODY,
    FAILED,
    GOOD,
    GOOD_CHUNKED,
    KEEP,
    LAST_CHUNK,
    LATE,
    OK,
    OVER_H11,
    OVER_HTTP_CLIENT,
    OVER_HTTPX,
    REFUSED,
    REQUESTS,
    TOKEN,
    TOKEN_BODY,
    TRIO,
    URLLIB,
    Differs,
    Row,
    chunk,
    with_header,
    with_length,
    with_status,
)
from .scripts import Drip, Flood, Script

BROKEN_HEADS = (
    Row("no answer", Script(), FAILED),
    Row("half a status line", Script((b"HTTP/1.1 20",)), FAILED),
    Row(
        "half of the headers",
        Script((OK + b"Content-Le",)),
        FAILED,
        (
            Differs(
                OVER_HTTP_CLIENT,
                REFUSED,
                "it takes the end of the connection for that of the headers: the body is empty",
            ),
        ),
    ),
    Row(
        "no end of the headers",
        Script((OK,)),
        FAILED,
        (
            Differs(
                OVER_HTTP_CLIENT,
                REFUSED,
                "it takes the end of the connection for that of the headers: the body is empty",
            ),
        ),
    ),
    Row("HTTP/0.9", Script((TOKEN_BODY,)), FAILED),
    Row("HTTP/0.9 with line ends", Script((b"<html>\r\n\r\n" + TOKEN_BODY,)), FAILED),
    Row("HTTP/2", Script((with_status(b"HTTP/2 200 OK"),)), FAILED),
    Row(
        "HTTP/2.0",
        Script((with_status(b"HTTP/2.0 200 OK"),), end=KEEP),
        FAILED,
        (
            Differs(
                OVER_HTTPX | TRIO,
                TOKEN,
                "h11 reads the answer by the rules of HTTP/1.1, whatever version it says that it is; urllib3 does not",
            ),
        ),
    ),
    Row(
        "frames of HTTP/2",
        Script((bytes.fromhex("000012040000000000000300000080000400010000000500ffffff"),)),
        FAILED,
    ),
    Row("an alert of TLS", Script((bytes.fromhex("15030100020246"),)), FAILED),
    Row("the greeting of SSH", Script((b"SSH-2.0-OpenSSH_9.6\r\n",)), FAILED),
    Row("the greeting of a mail server", Script((b"220 mail ESMTP\r\n\r\n",)), FAILED),
    Row("the status 20", Script((with_status(b"HTTP/1.1 20 OK"),)), FAILED),
    Row("the status 2000", Script((with_status(b"HTTP/1.1 2000 OK"),)), FAILED),
    Row("the status -200", Script((with_status(b"HTTP/1.1 -200 OK"),)), FAILED),
    Row("a status in words", Script((with_status(b"HTTP/1.1 OK"),)), FAILED),
    Row(
        "status 101",
        Script((b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",)),
        REFUSED,
        (Differs(OVER_H11, FAILED, "h11 knows that nobody has asked for another protocol"),),
    ),
    Row(
        "interim answers without end",
        Script((Flood(b"HTTP/1.1 100 Continue\r\n\r\n"),)),
        LATE,
        (Differs(TRIO, FAILED, "it counts them"),),
    ),
    Row(
        "interim answers that drip",
        Script((Drip(b"HTTP/1.1 100 Continue\r\n\r\n", every=0.005, for_ever=True),)),
        LATE,
    ),
    Row("a status line without end", Script((b"HTTP/1.1 200 ", Flood(b"O" * 4096))), FAILED),
    Row("headers without end", Script((OK, Flood(b"A: b\r\n" * 500))), FAILED),
    Row("a header name without end", Script((OK, Flood(b"a" * 4096))), FAILED),
    Row("a header value without end", Script((OK + b"A: ", Flood(b"b" * 4096))), FAILED),
    Row("folded lines without end", Script((OK + b"A: b\r\n", Flood(b" c\r\n" * 1000))), FAILED),
    Row(
        "a header without a colon",
        Script((with_header(b"nothing"),), end=KEEP),
        FAILED,
        (
            Differs(
                OVER_HTTP_CLIENT,
                LATE,
                "it drops the headers from there on, the length among them, and waits for the end",
            ),
        ),
    ),
    Row(
        "a header without a name",
        Script((with_header(b": nothing"),), end=KEEP),
        FAILED,
        (
            Differs(
                OVER_HTTP_CLIENT, TOKEN, "it lets this pass; the core never looks at that header"
            ),
        ),
    ),
    Row(
        "a space before the colon",
        Script((with_header(b"A : b"),), end=KEEP),
        FAILED,
        (
            Differs(
                OVER_HTTP_CLIENT,
                LATE,
                "it drops the headers from there on, the length among them, and waits for the end",
            ),
        ),
    ),
    Row(
        "a zero byte in a header",
        Script((with_header(b"A: b\0c"),), end=KEEP),
        FAILED,
        (
            Differs(
                OVER_HTTP_CLIENT, TOKEN, "it lets this pass; the core never looks at that header"
            ),
        ),
    ),
    Row("a folded header", Script((with_header(b"A: b\r\n c"),), end=KEEP), TOKEN),
    Row("a header that is no ASCII", Script((with_header(b"A: \xe4\xff"),), end=KEEP), TOKEN),
    Row("lines that end with LF alone", Script((GOOD.replace(b"\r\n", b"\n"),), end=KEEP), TOKEN),
)

BROKEN_LENGTHS = (
    Row(
        "two lengths",
        Script((OK + b"Content-Length: 5\r\n" + GOOD.removeprefix(OK),)),
        FAILED,
        (Differs(URLLIB, REFUSED, "it takes the first: the body is no JSON"),),
        left_open=REQUESTS,
    ),
    Row(
        "two lengths in one line",
        Script((OK + b"Content-Length: 5, 6\r\n\r\n" + TOKEN_BODY,)),
        FAILED,
        (
            Differs(
                URLLIB,
                TOKEN,
                "it reads a body whose length it does not understand until the connection's end, and uses that for nothing more",
            ),
        ),
        left_open=REQUESTS,
    ),
    Row(
        "a negative length",
        Script((OK + b"Content-Length: -1\r\n\r\n" + TOKEN_BODY,)),
        FAILED,
        (
            Differs(
                OVER_HTTP_CLIENT,
                TOKEN,
                "it reads a body whose length it does not understand until the connection's end, and uses that for nothing more",
            ),
        ),
    ),
    Row(
        "a length with a sign",
        Script((OK + b"Content-Length: +5\r\n\r\n" + TOKEN_BODY,)),
        FAILED,
        (
            Differs(
                OVER_HTTP_CLIENT, REFUSED, "int() takes a sign: the body is cut there, and no JSON"
            ),
        ),
    ),
    Row(
        "a length that is hexadecimal",
        Script((OK + b"Content-Length: 0x3f\r\n\r\n" + TOKEN_BODY,)),
        FAILED,
        (
            Differs(
                OVER_HTTP_CLIENT,
                TOKEN,
                "it reads a body whose length it does not understand until the connection's end, and uses that for nothing more",
            ),
        ),
    ),
    Row(
        "a length that is no number",
        Script((OK + b"Content-Length: many\r\n\r\n" + TOKEN_BODY,)),
        FAILED,
        (
            Differs(
                OVER_HTTP_CLIENT,
                TOKEN,
                "it reads a body whose length it does not understand until the connection's end, and uses that for nothing more",
            ),
        ),
    ),
    Row(
        "a length of 5000 digits",
        Script((OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n" + TOKEN_BODY,)),
        FAILED,
        (
            Differs(
                OVER_HTTP_CLIENT,
                TOKEN,
                "it reads a body whose length it does not understand until the connection's end, and uses that for nothing more",
            ),
        ),
    ),
    Row("a body that is cut", Script((with_length(TOKEN_BODY)[:-1],)), FAILED),
    Row("a body that is not there", Script((with_length(TOKEN_BODY)[: -len(TOKEN_BODY)],)), FAILED),
    Row("an error that is cut", Script((with_status(b"HTTP/1.1 400 X", ERROR_BODY)[:-1],)), FAILED),
)

BROKEN_CHUNKS = (
    Row("no last chunk", Script((GOOD_CHUNKED,)), FAILED),
    Row(
        "half a last chunk",
        Script((GOOD_CHUNKED + b"0\r\n",)),
        FAILED,
        (
            Differs(
                OVER_HTTP_CLIENT,
                TOKEN,
                "the last chunk is there; it does not miss the line that ends the trailers",
            ),
        ),
    ),
    Row("half a chunk", Script((CHUNKED + chunk(TOKEN_BODY)[:-9],)), FAILED),
    Row("no chunks", Script((CHUNKED,)), FAILED),
    Row("a size that is no number", Script((CHUNKED + b"many\r\n" + TOKEN_BODY,)), FAILED),
    Row("a negative size", Script((CHUNKED + b"-1\r\n" + TOKEN_BODY,)), FAILED),
    Row(
        "a size with a sign",
        Script((CHUNKED + b"+" + chunk(TOKEN_BODY) + LAST_CHUNK,), end=KEEP),
        FAILED,
        (Differs(OVER_HTTP_CLIENT, TOKEN, "int() takes this: the body is what the server meant"),),
    ),
    Row(
        "a size with underscores",
        Script((CHUNKED + b"0_" + chunk(TOKEN_BODY) + LAST_CHUNK,), end=KEEP),
        FAILED,
        (Differs(OVER_HTTP_CLIENT, TOKEN, "int() takes this: the body is what the server meant"),),
    ),
    Row("a size of 5000 digits", Script((CHUNKED + b"f" * 5000 + b"\r\n" + TOKEN_BODY,)), FAILED),
    Row("a size without end", Script((CHUNKED, Flood(b"0" * 4096))), FAILED),
    Row("an extension without end", Script((CHUNKED + b"5;a=", Flood(b"b" * 4096))), FAILED),
    Row(
        "a chunk longer than its size",
        Script((CHUNKED + b"5\r\n" + TOKEN_BODY + b"\r\n" + LAST_CHUNK,)),
        FAILED,
    ),
    Row(
        "trailers without end",
        Script((GOOD_CHUNKED + b"0\r\n", Flood(b"A: b\r\n" * 500))),
        FAILED,
        (Differs(OVER_HTTP_CLIENT, LATE, "it drops them as they come, without counting"),),
    ),
    Row(
        "a trailer line without end",
        Script((GOOD_CHUNKED + b"0\r\nA: ", Flood(b"b" * 4096))),
        FAILED,
    ),
)
