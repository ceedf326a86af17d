"""Answers that are whole: good ones, refusals, too long, compressed, and more than was asked for."""

from __future__ import annotations

import gzip
import zlib

from oauth2_sansio.answers import MAXIMUM_BODY

from .credentials import CLIENT_SECRET
from .row import (
    BOMB,
    CHUNKED,
    ERROR_BODY,
    FAILED,
    GOOD,
    GOOD_CHUNKED,
    KEEP,
    LAST_CHUNK,
    OK,
    OVER_HTTP_CLIENT,
    OVER_HTTPX,
    REFUSED,
    SMUGGLED,
    SPACES,
    TOKEN,
    TOKEN_BODY,
    UNTIL_THE_END,
    Differs,
    Prints,
    Row,
    chunk,
    with_header,
    with_length,
    with_status,
)
from .scripts import Begin, Drip, Flood, Script

GOOD_ANSWERS = (
    Row("with a length", Script((GOOD,), end=KEEP), TOKEN),
    Row("in chunks", Script((GOOD_CHUNKED + LAST_CHUNK,), end=KEEP), TOKEN),
    Row("until the end of the connection", Script((UNTIL_THE_END + TOKEN_BODY,)), TOKEN),
    Row("of HTTP/1.0", Script((b"HTTP/1.0 200 OK\r\n\r\n" + TOKEN_BODY,)), TOKEN),
    Row("byte by byte, in time", Script((Drip(GOOD, every=0.001),), end=KEEP), TOKEN),
    Row("with the status 201", Script((with_status(b"HTTP/1.1 201 Created"),), end=KEEP), TOKEN),
    Row("without a reason", Script((with_status(b"HTTP/1.1 200 "),), end=KEEP), TOKEN),
    Row(
        "without a space behind the status",
        Script((with_status(b"HTTP/1.1 200"),), end=KEEP),
        TOKEN,
    ),
    Row(
        "with a reason that is no ASCII",
        Script((with_status(b"HTTP/1.1 200 \xe4\xff\x80"),), end=KEEP),
        TOKEN,
    ),
    *(
        Row(
            f"with our secret for a reason, status {status}",
            Script(
                (with_status(b"HTTP/1.1 %d %b" % (status, CLIENT_SECRET.encode()), body),),
                end=KEEP,
            ),
            outcome,
            prints=(Prints(OVER_HTTPX, "it and httpcore log the reason that a server gives"),),
        )
        for status, body, outcome in ((200, TOKEN_BODY, TOKEN), (500, b"", REFUSED))
    ),
    Row(
        "with the reason of another status",
        Script((with_status(b"HTTP/1.1 200 404 Not Found"),), end=KEEP),
        TOKEN,
    ),
    Row("with a trailer", Script((GOOD_CHUNKED + b"0\r\nA: b\r\n\r\n",), end=KEEP), TOKEN),
    Row(
        "with a chunk extension",
        Script(
            (CHUNKED + b"%x;a=b\r\n%b\r\n" % (len(TOKEN_BODY), TOKEN_BODY) + LAST_CHUNK,), end=KEEP
        ),
        TOKEN,
    ),
    Row(
        "of exactly the longest body",
        Script((with_length(TOKEN_BODY.ljust(MAXIMUM_BODY)),), end=KEEP),
        TOKEN,
    ),
    Row(
        "with two lengths that agree",
        Script(
            (with_length(TOKEN_BODY, OK + b"Content-Length: %d\r\n" % len(TOKEN_BODY)),), end=KEEP
        ),
        TOKEN,
    ),
    Row("after 100 Continue", Script((b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD,), end=KEEP), TOKEN),
    Row(
        "after 103 Early Hints",
        Script((b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + GOOD,), end=KEEP),
        TOKEN,
        (
            Differs(
                OVER_HTTP_CLIENT,
                REFUSED,
                "it knows no interim answer but 100, and takes this for the answer",
            ),
        ),
    ),
    Row(
        "with a coding that is none",
        Script((with_header(b"Content-Encoding: identity"),), end=KEEP),
        TOKEN,
    ),
)

REFUSALS = (
    *(
        Row(
            f"status {status}",
            Script((with_status(b"HTTP/1.1 %d X" % status, ERROR_BODY),), end=KEEP),
            REFUSED,
        )
        for status in (
            202,
            203,
            206,
            226,
            300,
            400,
            402,
            403,
            404,
            408,
            410,
            413,
            418,
            421,
            425,
            429,
            431,
            451,
            499,
            500,
            501,
            502,
            503,
            504,
            511,
            599,
        )
    ),
    Row("status 999", Script((with_status(b"HTTP/1.1 999 X"),), end=KEEP), REFUSED),
    Row("status 204", Script((b"HTTP/1.1 204 No Content\r\n\r\n",), end=KEEP), REFUSED),
    Row("status 204 with a body", Script((with_status(b"HTTP/1.1 204 No Content"),)), REFUSED),
    Row(
        "status 205", Script((with_status(b"HTTP/1.1 205 Reset Content", b""),), end=KEEP), REFUSED
    ),
    Row("status 304", Script((b"HTTP/1.1 304 Not Modified\r\n\r\n",), end=KEEP), REFUSED),
    *(
        Row(
            f"a redirect with {status}",
            Script(
                (with_length(b"", b"HTTP/1.1 %d X\r\nLocation: /elsewhere\r\n" % status),), end=KEEP
            ),
            REFUSED,
        )
        for status in (301, 302, 303, 307, 308)
    ),
    Row(
        "a redirect to what is no URL",
        Script((with_length(b"", b"HTTP/1.1 302 Found\r\nLocation: http://[\r\n"),), end=KEEP),
        REFUSED,
    ),
    Row(
        "status 401 that asks for a password",
        Script(
            (with_length(b"", b'HTTP/1.1 401 X\r\nWWW-Authenticate: Basic realm="a"\r\n'),),
            end=KEEP,
        ),
        REFUSED,
    ),
    Row(
        "status 401 that asks for a digest",
        Script(
            (
                with_length(
                    b"",
                    b'HTTP/1.1 401 X\r\nWWW-Authenticate: Digest realm="a", nonce="b", qop="auth"\r\n',
                ),
            ),
            end=KEEP,
        ),
        REFUSED,
    ),
    Row(
        "status 407 that asks for a password",
        Script(
            (with_length(b"", b'HTTP/1.1 407 X\r\nProxy-Authenticate: Basic realm="a"\r\n'),),
            end=KEEP,
        ),
        REFUSED,
    ),
    Row("an empty body", Script((with_length(b""),), end=KEEP), REFUSED),
    Row("not JSON", Script((with_length(b"<html>"),), end=KEEP), REFUSED),
)

LONG_ANSWERS = (
    Row("one byte too long", Script((with_length(TOKEN_BODY.ljust(MAXIMUM_BODY + 1)),)), REFUSED),
    Row("a body without end", Script((UNTIL_THE_END + TOKEN_BODY, Flood(SPACES))), REFUSED),
    Row(
        "a length of terabytes",
        Script((OK + b"Content-Length: 9999999999999\r\n\r\n", Flood(SPACES))),
        REFUSED,
    ),
    Row("chunks without end", Script((CHUNKED, Flood(chunk(SPACES)))), REFUSED),
    Row("one chunk of terabytes", Script((CHUNKED + b"fffffffffff\r\n", Flood(SPACES))), REFUSED),
    Row("an error without end", Script((b"HTTP/1.1 400 X\r\n\r\n", Flood(SPACES))), REFUSED),
)

COMPRESSED_ANSWERS = (
    Row(
        "a bomb of gzip",
        Script((with_header(b"Content-Encoding: gzip", gzip.compress(BOMB)),), end=KEEP),
        REFUSED,
    ),
    Row(
        "a bomb of GZIP",
        Script((with_header(b"Content-Encoding: GZIP", gzip.compress(BOMB)),), end=KEEP),
        REFUSED,
    ),
    Row(
        "a bomb of x-gzip",
        Script((with_header(b"Content-Encoding: x-gzip", gzip.compress(BOMB)),), end=KEEP),
        REFUSED,
    ),
    Row(
        "a bomb of deflate",
        Script((with_header(b"Content-Encoding: deflate", zlib.compress(BOMB)),), end=KEEP),
        REFUSED,
    ),
    Row(
        "a bomb in a bomb",
        Script(
            (with_header(b"Content-Encoding: gzip, gzip", gzip.compress(gzip.compress(BOMB))),),
            end=KEEP,
        ),
        REFUSED,
    ),
    Row(
        "gzip that is good",
        Script((with_header(b"Content-Encoding: gzip", gzip.compress(TOKEN_BODY)),), end=KEEP),
        REFUSED,
    ),
    Row(
        "gzip that is none",
        Script((with_header(b"Content-Encoding: gzip", b"none"),), end=KEEP),
        REFUSED,
    ),
    Row(
        "a coding that nobody knows",
        Script((with_header(b"Content-Encoding: zzz", b"zzz"),), end=KEEP),
        REFUSED,
    ),
    Row(
        "a transfer coding of gzip",
        Script(
            (
                OK
                + b"Transfer-Encoding: gzip, chunked\r\n\r\n"
                + chunk(gzip.compress(TOKEN_BODY))
                + LAST_CHUNK,
            )
        ),
        FAILED,
        (
            Differs(
                OVER_HTTP_CLIENT,
                REFUSED,
                "it does not know that coding, and takes the chunks for the body: which is no JSON",
            ),
        ),
    ),
)

SMUGGLING = (
    Row("a second answer behind the first", Script((GOOD + SMUGGLED,), end=KEEP), TOKEN),
    Row(
        "a second answer behind the last chunk",
        Script((GOOD_CHUNKED + LAST_CHUNK + SMUGGLED,), end=KEEP),
        TOKEN,
    ),
    Row(
        "a second answer behind 204",
        Script((b"HTTP/1.1 204 X\r\n\r\n" + SMUGGLED,), end=KEEP),
        REFUSED,
    ),
    Row(
        "a second answer behind 304",
        Script((b"HTTP/1.1 304 X\r\nContent-Length: 9\r\n\r\n" + SMUGGLED,), end=KEEP),
        REFUSED,
    ),
    Row("the beginning of a second answer", Script((GOOD + SMUGGLED[:30],), end=KEEP), TOKEN),
    Row(
        "a length and chunks",
        Script(
            (with_length(chunk(TOKEN_BODY) + LAST_CHUNK, OK + b"Transfer-Encoding: chunked\r\n"),),
            end=KEEP,
        ),
        TOKEN,
    ),
    Row("an answer before the request", Script((GOOD,), begin=Begin.AT_ONCE, end=KEEP), TOKEN),
    Row(
        "two answers before the request",
        Script((GOOD + SMUGGLED,), begin=Begin.AT_ONCE, end=KEEP),
        TOKEN,
    ),
)
