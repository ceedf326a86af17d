"""URLs: which ones are fit to be asked, and what is written into them or read out of them.

Nothing here is sent anywhere. What is refused is refused before anybody looks up a host.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from typing import TypeAlias, cast
from urllib.parse import unquote_to_bytes, urlencode

from .errors import LocalProtocolError, RemoteProtocolError
from .events import Endpoint, Pairs

Parameters: TypeAlias = Mapping[str, object] | Iterable[tuple[str | bytes, object]]
"""What the drop-in functions take: a mapping, or pairs; a value of None is left out."""

LONGEST_URL = 8_000
"""Characters of a URL that is to be asked."""

LONGEST_CALLBACK = 65_536
"""Characters of a callback, of its query, and of a form that a browser posts."""

MOST_PARAMETERS = 100
"""Parameters in one answer that a browser brings."""


def check_url(
    url: str,
    what: str,
    *,
    allow_insecure_http: bool = False,
    endpoint: Endpoint | None = None,
) -> str:
    """Return a URL as it is if it may be asked, and refuse it otherwise.

    It has to be absolute, in the ASCII characters of RFC 3986, at most 8,000 of them, with https,
    a host and no user name, password or fragment. Plain http is for loopback hosts alone (RFC 8252
    section 8.3).

    what: the name of the setting, for the error, such as `token_endpoint`.
    allow_insecure_http: take plain http to any host; for tests.
    endpoint: where the URL leads, for the error.
    Raises `LocalProtocolError`. Its text shows no part of the URL.
    Source: RFC 6749 sections 3.1 and 3.2, RFC 9700 section 2.6.
    """
    if len(url) <= LONGEST_URL and (origin := _origin(_ORIGIN.match(url))):
        scheme, host, _ = origin
        if _BEHIND_HOST.fullmatch(url, url.index("//") + 2):
            if scheme == "https" or allow_insecure_http or is_loopback(host):
                return url
            raise LocalProtocolError(
                f"{what} is plain http, which anyone on the way can read and change",
                endpoint=endpoint,
                advice="use https; allow_insecure_http=True is for tests alone",
            )
    raise LocalProtocolError(
        f"{what} {_fault(url)}",
        endpoint=endpoint,
        advice="give an absolute https URL, such as https://server.example/path",
    )


def is_loopback(host: str) -> bool:
    """Tell whether a host is this very machine: 127.0.0.0/8, ::1 or `localhost`, literally.

    host: as in a URL; an IPv6 address with or without its brackets.
    Names are not looked up, and other ways to write these addresses do not count.
    """
    if host[:1] == "[" and host[-1:] == "]":
        return _ipv6(host[1:-1]) == _IPV6_LOOPBACK
    if host.lower() == "localhost" or _ipv6(host) == _IPV6_LOOPBACK:
        return True
    return host.startswith("127.") and _IPV4.fullmatch(host) is not None


def same_origin(one: str, other: str) -> bool:
    """Tell whether two URLs have one scheme, host and port (RFC 6454 section 5).

    The port of the scheme counts where none is written. A URL that is not http or https, that
    carries a user name or whose host is not plain has no origin, and is never the same as another.
    """
    origin = _origin(_ORIGIN.match(one))
    return origin is not None and origin == _origin(_ORIGIN.match(other))


def target_uri(url: str, endpoint: Endpoint) -> str:
    """Return the URL that a DPoP proof names (RFC 9449 section 4.2): without query and fragment.

    Scheme and host are in lower case, and what says nothing is left out (RFC 3986 section 6.2).
    Raises `LocalProtocolError` for what is no http or https URL.
    """
    match = _ORIGIN.match(url)
    origin = None if match is None else _written_origin(match[0])
    if match is None or origin is None:
        raise LocalProtocolError(
            "this is no URL that a DPoP proof could name",
            endpoint=endpoint,
            advice="give an http or https URL, with a host",
        )
    path = url[match.end() :].partition("#")[0].partition("?")[0]
    if "/." in path:
        path = _without_dots(path)
    return f"{origin}{path or '/'}"


def add_to_query(url: str, parameters: Pairs) -> str:
    """Return a URL with more parameters at the end of its query.

    Its own query and fragment stay byte for byte (RFC 6749 section 3.1). A space is sent as `%20`.

    Raises `LocalProtocolError` for a text that UTF-8 cannot write.
    """
    address, hash_sign, fragment = url.partition("#")
    added = _form_encoded(parameters).replace("+", "%20")
    return f"{_joined(address, '?', added)}{hash_sign}{fragment}"


def read_query(text: str, *, what: str) -> dict[str, str]:
    """Return the parameters of a query, a fragment or a posted form, read strictly.

    A parameter without a value is kept as an empty text. Characters outside ASCII stand for
    themselves, since some web frameworks hand out URLs decoded so far.

    what: the name of the text, for the error, such as `the callback`.
    Raises `RemoteProtocolError` for more than 65,536 characters or 100 parameters, spaces and
    control characters, percent sequences that are broken or not UTF-8, a parameter without a name,
    and one that comes twice (RFC 6749 section 3.1). Its text shows no value.
    """
    if len(text) > LONGEST_CALLBACK:
        raise RemoteProtocolError(f"{what} is longer than {LONGEST_CALLBACK} characters")
    if text.count("&") >= MOST_PARAMETERS:
        raise RemoteProtocolError(f"{what} has more than {MOST_PARAMETERS} parameters")
    if _SPACE_OR_CONTROL.search(text):
        raise RemoteProtocolError(f"{what} holds a space or a control character")
    parameters: dict[str, str] = {}
    for piece in filter(None, text.split("&")):
        name, value = (_decoded(part) for part in _halves(piece))
        if name is None or value is None:
            raise RemoteProtocolError(f"{what} is not form encoded UTF-8")
        if not name:
            raise RemoteProtocolError(f"{what} has a parameter without a name")
        if name in parameters:
            # Whatever stands in the place of a name may be a secret, unless it looks like a name.
            shown = name if _PLAIN_NAME.fullmatch(name) else "a parameter"
            raise RemoteProtocolError(f"{what} has {shown} more than once")
        parameters[name] = value
    return parameters


def split_callback(url: str) -> tuple[str, str]:
    """Return the query and the fragment of a callback, each without its sign.

    url: absolute, of any scheme (`com.example.app:/cb?code=…`, RFC 8252 section 7.1), or what a
    web server sees of it, from the path on.
    Raises `RemoteProtocolError` for what is not a URL, for spaces and control characters, and for
    more than 65,536 characters. Its text shows no part of the URL.
    """
    if len(url) > LONGEST_CALLBACK:
        raise RemoteProtocolError(f"the callback is longer than {LONGEST_CALLBACK} characters")
    if _SPACE_OR_CONTROL.search(url):
        raise RemoteProtocolError("the callback holds a space or a control character")
    beginning = _CALLBACK_BEGINNING.match(url)
    if beginning is None or not _has_sound_brackets(beginning["authority"] or ""):
        raise RemoteProtocolError(
            "the callback is not a URL", advice="hand over the whole URL that the browser was sent"
        )
    address, _, fragment = url.partition("#")
    return address.partition("?")[2], fragment


# Authlib's names. They write a space as `+`, and their errors are those of Authlib.


def add_params_to_uri(uri: str, params: Parameters, fragment: bool = False) -> str:
    """Return a URI with more parameters in its query, or in its fragment.

    What the URI had stays byte for byte.
    """
    added = url_encode(params)
    if fragment:
        return _joined(uri, "#", added)
    address, hash_sign, old_fragment = uri.partition("#")
    return f"{_joined(address, '?', added)}{hash_sign}{old_fragment}"


def url_encode(params: Parameters) -> str:
    """Return parameters form encoded, in their order."""
    if isinstance(params, Mapping):
        return url_encode(tuple(cast("Mapping[str, object]", params).items()))
    return _form_encoded((name, value) for name, value in params if value is not None)


def url_decode(query: str) -> list[tuple[str, str]]:
    """Return the parameters of a form encoded text, in their order; a name may repeat.

    Raises `ValueError` for any character that form encoding does not leave, and for percent
    sequences that are broken or not UTF-8. Its text shows no part of the query.
    """
    if _NOT_FORM_ENCODED.search(query):
        raise ValueError("not form encoded: a character is there that should be percent-encoded")
    pairs: list[tuple[str, str]] = []
    for piece in filter(None, query.split("&")):
        name, value = (_decoded(part) for part in _halves(piece))
        if name is None or value is None:
            raise ValueError("not form encoded: a percent sequence is broken or not UTF-8")
        pairs.append((name, value))
    return pairs


# A host is a name of letters, digits, hyphens and underscores, or an address; nothing else, so that
# no two readers of URLs can disagree about where it ends.
_LABEL = r"[A-Za-z0-9_][A-Za-z0-9_-]*+"
_ORIGIN = re.compile(
    rf"((?i:https?))://(\[[0-9A-Fa-f:.]++\]|{_LABEL}(?:\.{_LABEL})*+\.?+)"
    r"(?::([0-9]{1,5}))?(?=[/?#]|\Z)",
    re.ASCII,
)
_BEHIND_HOST = re.compile(
    r"[^/?#]*+(?:[/?](?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?\[\]]|%[0-9A-Fa-f]{2})*+)?"
)
_LONGEST_HOST = 253  # RFC 1035 section 2.3.4, without the root
_LAST_PORT = 65_535
_PORTS = {"http": 80, "https": 443}
_IPV6_LOOPBACK = IPv6Address("::1")
_IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?!\Z)|\Z)){4}")
# What some resolvers take for an IPv4 address of fewer parts, octal or hexadecimal.
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")

_FAULTS = (
    (re.compile(r"[^\x21-\x5b\x5d-\x7e]"), "holds a character that no URL may hold"),
    (re.compile(r"\A(?!(?i:https?)://)"), "is not an absolute https URL"),
    (re.compile(r"\A[^/]*+//[^/?#@]*+@"), "holds a user name or a password"),
    (re.compile("#"), "has a fragment"),
    (re.compile(""), "has a malformed host, port or path"),
)

_SPACE_OR_CONTROL = re.compile(r"[\x00-\x20\x7f]")
_CALLBACK_BEGINNING = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+.\-]*+:(?://(?P<authority>[^/?#]*+))?|/(?!/))"
)
_IN_BRACKETS = re.compile(r"(?:[^@\[\]]*+@)?\[([^\[\]]*+)\](?::[0-9]*+)?")
_BROKEN_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PLAIN_NAME = re.compile(r"[a-z_]{1,32}")
_NOT_FORM_ENCODED = re.compile(r"[^A-Za-z0-9_.\-=&;:%+~,*@!()/?]")


def _origin(match: re.Match[str] | None) -> tuple[str, str, int] | None:
    if match is None:
        return None
    scheme, host = match[1].lower(), match[2].lower()
    port = int(match[3]) if match[3] else _PORTS[scheme]
    return (scheme, host, port) if _is_host(host) and 0 < port <= _LAST_PORT else None


@lru_cache(maxsize=256)  # a program asks few servers, and often
def _written_origin(text: str) -> str | None:
    origin = _origin(_ORIGIN.match(text))
    if origin is None:
        return None
    scheme, host, port = origin
    return f"{scheme}://{host}" if port == _PORTS[scheme] else f"{scheme}://{host}:{port}"


def _without_dots(path: str) -> str:
    # RFC 3986 section 5.2.4, for a path that begins with a slash.
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def _is_host(host: str) -> bool:
    if host[0] == "[":
        return _ipv6(host[1:-1]) is not None
    name = host.removesuffix(".")
    if _NUMBER.fullmatch(name, name.rfind(".") + 1):
        return _IPV4.fullmatch(host) is not None
    return len(name) <= _LONGEST_HOST


def _ipv6(text: str) -> IPv6Address | None:
    try:
        return IPv6Address(text)
    except AddressValueError:
        return None


def _fault(url: str) -> str:
    if len(url) > LONGEST_URL:
        return f"is longer than {LONGEST_URL} characters"
    return next(text for pattern, text in _FAULTS if pattern.search(url))


def _has_sound_brackets(authority: str) -> bool:
    if "[" not in authority and "]" not in authority:
        return True
    match = _IN_BRACKETS.fullmatch(authority)
    return match is not None and _ipv6(match[1]) is not None


def _joined(address: str, sign: str, added: str) -> str:
    if not added:
        return address
    if sign not in address:
        return f"{address}{sign}{added}"
    return f"{address}{'' if address[-1] in (sign, '&') else '&'}{added}"


def _form_encoded(pairs: Iterable[tuple[str | bytes, object]]) -> str:
    try:
        return urlencode(list(pairs))
    except UnicodeEncodeError:
        refusal = LocalProtocolError(
            "a parameter holds half of a surrogate pair, which UTF-8 cannot write",
            advice="decode it rightly where it comes from",
        )
    raise refusal  # not inside `except`: the first error shows the value


def _halves(piece: str) -> tuple[str, str]:
    name, _, value = piece.partition("=")
    return name, value


def _decoded(text: str) -> str | None:
    if _BROKEN_PERCENT.search(text):
        return None
    try:
        return unquote_to_bytes(text.replace("+", " ")).decode("utf-8")
    except UnicodeError:
        return None
