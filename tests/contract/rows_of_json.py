"""Answers whose JSON is odd, or none."""

from __future__ import annotations

import json

from .credentials import ACCESS_TOKEN
from .row import TOKEN_BODY, answering, broken, issued

TOKEN_MEMBERS = TOKEN_BODY[1:-1]
TOKEN_TEXT = TOKEN_BODY.decode()


def with_more(members: bytes) -> bytes:
    """Return a good body with more members, given as JSON."""
    return b"{%b,%b}" % (TOKEN_MEMBERS, members)


def nested(depth: int, begin: bytes, end: bytes, within: bytes = b"1") -> bytes:
    """Return JSON that is nested so deep."""
    return begin * depth + within + end * depth


_REFUSED: dict[str, bytes] = {
    "nothing": b"",
    "spaces alone": b"  \r\n\t ",
    "null": b"null",
    "true": b"true",
    "a number": b"3600",
    "a text": b'"%b"' % ACCESS_TOKEN.encode(),
    "a list": b'["%b"]' % ACCESS_TOKEN.encode(),
    "a list of one object": b"[%b]" % TOKEN_BODY,
    "an object without members": b"{}",
    "an object that is cut": TOKEN_BODY[:-1],
    "an object that is cut in a text": TOKEN_BODY[:30],
    "an object that is cut in a name": TOKEN_BODY[:6],
    "a comma behind the last member": b"{%b,}" % TOKEN_MEMBERS,
    "two commas": TOKEN_BODY.replace(b",", b",,", 1),
    "no comma": TOKEN_BODY.replace(b",", b" ", 1),
    "something behind the object": TOKEN_BODY + b"x",
    "a second object": TOKEN_BODY * 2,
    "an object on each line": TOKEN_BODY + b"\n" + TOKEN_BODY + b"\n",
    "a zero byte before": b"\0" + TOKEN_BODY,
    "a zero byte behind": TOKEN_BODY + b"\0",
    "a form feed before": b"\f" + TOKEN_BODY,
    "a no-break space before": b"\xc2\xa0" + TOKEN_BODY,
    "single quotes": TOKEN_BODY.replace(b'"', b"'"),
    "names without quotes": TOKEN_BODY.replace(b'"access_token"', b"access_token"),
    "a comment": b"/* token */" + TOKEN_BODY,
    "a comment in lines": b"// token\n" + TOKEN_BODY,
    "a prefix against inclusion": b")]}',\n" + TOKEN_BODY,
    "a loop against inclusion": b"for(;;);" + TOKEN_BODY,
    "a callback of JavaScript": b"callback(" + TOKEN_BODY + b");",
    "an assignment of JavaScript": b"var token = " + TOKEN_BODY,
    "an event stream": b"data: " + TOKEN_BODY + b"\n\n",
    "a page with the object in it": b"<html><body><pre>" + TOKEN_BODY + b"</pre></body></html>",
    "XML": b"<token><access_token>%b</access_token></token>" % ACCESS_TOKEN.encode(),
    "YAML": b"access_token: %b\ntoken_type: Bearer\n" % ACCESS_TOKEN.encode(),
    "a JWT": b"eyJhbGciOiJub25lIn0.eyJhY2Nlc3NfdG9rZW4iOiJhIn0.",
    "the object as a text": json.dumps(TOKEN_TEXT).encode(),
    "MessagePack": b"\x81\xacaccess_token\xa1a",
    "CBOR": b"\xa1\x6caccess_token\x61a",
    "gzip without saying so": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",
    "two byte order marks": b"\xef\xbb\xbf\xef\xbb\xbf" + TOKEN_BODY,
    "UTF-16 with a mark": TOKEN_TEXT.encode("utf-16"),
    "UTF-16, little end first": TOKEN_TEXT.encode("utf-16-le"),
    "UTF-16, big end first": TOKEN_TEXT.encode("utf-16-be"),
    "UTF-32": TOKEN_TEXT.encode("utf-32"),
    "UTF-7": b"+AHs-" + TOKEN_BODY[1:],
    "EBCDIC": TOKEN_TEXT.encode("cp500"),
    "a letter of Latin-1": with_more('"name":"Jörg"'.encode("latin-1")),
    "an overlong form of UTF-8": with_more(b'"name":"\xc0\xaf"'),
    "a surrogate in UTF-8": with_more(b'"name":"\xed\xa0\x80"'),
    "a cut character of UTF-8": with_more(b'"name":"\xf0\x9f\x98"'),
    "a character beyond Unicode": with_more(b'"name":"\xf4\x90\x80\x80"'),
    "a line end in a text": with_more(b'"name":"a\nb"'),
    "a zero byte in a text": with_more(b'"name":"a\0b"'),
    "an escape that is none": with_more(b'"name":"\\x41"'),
    "an escape that is cut": with_more(b'"name":"\\u12"'),
    "NaN": with_more(b'"x":NaN'),
    "Infinity": with_more(b'"x":Infinity'),
    "-Infinity": with_more(b'"x":-Infinity'),
    "a number beyond all": with_more(b'"x":1e999'),
    "a number below all": with_more(b'"x":-1e999'),
    "an integer of 401 digits": with_more(b'"x":' + b"9" * 401),
    "an integer of 5000 digits": with_more(b'"x":' + b"9" * 5_000),
    "an integer of a million digits": with_more(b'"x":' + b"9" * 1_000_000),
    "a fraction of a million digits": with_more(b'"x":0.' + b"9" * 1_000_000),
    "an exponent of 5000 digits": with_more(b'"x":1e-' + b"9" * 5_000),
    "a number with a leading zero": with_more(b'"x":01'),
    "a number with a plus": with_more(b'"x":+1'),
    "a number that ends with its point": with_more(b'"x":1.'),
    "a number that begins with its point": with_more(b'"x":.5'),
    "a hexadecimal number": with_more(b'"x":0x10'),
    "a value of Python": with_more(b'"x":True'),
    "undefined": with_more(b'"x":undefined'),
    "a member without a value": with_more(b'"x"'),
    "a member whose name is a number": with_more(b"1:2"),
    "access_token twice": with_more(b'"access_token":"another"'),
    "access_token twice, the same": with_more(b'"access_token":"%b"' % ACCESS_TOKEN.encode()),
    "access_token twice, once with an escape": with_more(b'"access\\u005ftoken":"another"'),
    "token_type twice": with_more(b'"token_type":"mac"'),
    "a member twice, further in": with_more(b'"x":[{"a":1,"a":2}]'),
    "lists 100,000 deep": nested(100_000, b"[", b"]"),
    "objects 100,000 deep": nested(100_000, b'{"a":', b"}"),
    "lists without an end, 1 MiB": b"[" * 1_048_576,
    "objects without an end, 1 MiB": b'{"a":' * 200_000,
    "a deep member": with_more(b'"x":' + nested(100_000, b"[", b"]")),
    "350,000 empty objects": with_more(b'"x":[' + b"{}," * 349_000 + b"{}]"),
    "350,000 empty lists": with_more(b'"x":[' + b"[]," * 349_000 + b"[]]"),
    "350,000 empty texts": with_more(b'"x":[' + b'"",' * 349_000 + b'""]'),
    "500,000 numbers": with_more(b'"x":[' + b"7," * 500_000 + b"7]"),
    "90,000 members": with_more(b",".join(b'"m%05d":1' % number for number in range(90_000))),
    "160,000 escapes": with_more(b'"x":"' + b"\\u00e9" * 160_000 + b'"'),
    "1 MB in Cyrillic": with_more(b'"x":"' + "Ж".encode() * 500_000 + b'"'),
    "1 MB of smileys": with_more(b'"x":"' + "😀".encode() * 250_000 + b'"'),
    "one smiley in 1 MB": with_more('"x":"😀'.encode() + b"a" * 1_000_000 + b'"'),
    "one escaped smiley in 1 MB": with_more(b'"x":"\\ud83d\\ude00' + b"a" * 1_000_000 + b'"'),
    "20,000 members, and 500,000 letters": with_more(
        b",".join(b'"m%d":1' % number for number in range(20_000))
        + b',"x":"'
        + b"a" * 500_000
        + b'"'
    ),
    "the token within `data`": b'{"data":%b}' % TOKEN_BODY,
    "the token within `token`": b'{"status":"ok","token":%b}' % TOKEN_BODY,
    "names with capitals": TOKEN_BODY.replace(b"access_token", b"Access_Token"),
    "names in camel case": TOKEN_BODY.replace(b"access_token", b"accessToken"),
    "names with a space": TOKEN_BODY.replace(b"access_token", b"access_token "),
    "a name with a zero in it": TOKEN_BODY.replace(b"access_token", b"access_token\\u0000"),
    "a name in other letters": TOKEN_BODY.replace(b"access_", "аccess_".encode()),
}

_TAKEN: dict[str, bytes] = {
    "a byte order mark": b"\xef\xbb\xbf" + TOKEN_BODY,
    "space all around": b" \r\n\t" + TOKEN_BODY + b"\r\n",
    "the object over many lines": json.dumps(json.loads(TOKEN_BODY), indent=4).encode(),
    "escapes in the token": TOKEN_BODY.replace(b"access-", b"\\u0061ccess-"),
    "escapes in a name": TOKEN_BODY.replace(b"access_token", b"access\\u005ftoken"),
    "escaped slashes": with_more(b'"page":"https:\\/\\/server.example\\/"'),
    "an empty name": with_more(b'"":1'),
    "names of Python's own": with_more(b'"__class__":"a","__dict__":{},"__proto__":{"a":1}'),
    "names of a dict's methods": with_more(b'"get":1,"items":[],"is_expired":false,"pop":null'),
    "a name of 100,000 characters": with_more(b'"%b":1' % (b"n" * 100_000)),
    "half of a character, escaped": with_more(b'"name":"\\ud800"'),
    "a whole character in two escapes": with_more(b'"name":"\\ud83d\\ude00"'),
    "an escaped zero": with_more(b'"name":"a\\u0000b"'),
    "letters that are no ASCII": with_more('"name":"Жürg 😀 \u202e"'.encode()),
    "lists 50 deep": with_more(b'"x":' + nested(50, b"[", b"]")),
    "5,000 members": with_more(b",".join(b'"m%d":1' % number for number in range(5_000))),
    "an integer of 400 digits": with_more(b'"x":' + b"9" * 400),
    "a number that is all but zero": with_more(b'"x":1e-999'),
    "minus zero": with_more(b'"x":-0'),
    "a text of 1 MB": with_more(b'"x":"' + b"a" * 1_000_000 + b'"'),
    "a text of 30,000 escapes": with_more(b'"x":"' + b"\\u00e9" * 30_000 + b'"'),
    "a text of 200,000 bytes in Cyrillic": with_more(b'"x":"' + "Ж".encode() * 100_000 + b'"'),
    "a text of 200,000 bytes of smileys": with_more(b'"x":"' + "😀".encode() * 50_000 + b'"'),
    "3,000 members, and 900,000 letters": with_more(
        b",".join(b'"m%d":1' % number for number in range(3_000))
        + b',"x":"'
        + b"a" * 900_000
        + b'"'
    ),
    "10,000 empty objects": with_more(b'"x":[' + b"{}," * 10_000 + b"{}]"),
}

ODD_JSON = (
    *(answering(f"JSON: {name}", body, broken()) for name, body in _REFUSED.items()),
    *(answering(f"JSON: {name}", body, issued()) for name, body in _TAKEN.items()),
)
