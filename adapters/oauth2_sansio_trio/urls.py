"""URLs: whom to connect to, and what to ask for there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from ipaddress import AddressValueError, IPv6Address
from typing import NamedTuple, TypeAlias, cast
from urllib.parse import quote, urlencode

from .errors import LocalProtocolError

Parameters: TypeAlias = Mapping[str, object] | Iterable[tuple[str, object]]
"""Names and values; a list repeats its name, and None leaves it out."""


class Origin(NamedTuple):
    """Whom to connect to.

    host: a name, or an address; an IPv6 address without its brackets.
    """

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


class Address(NamedTuple):
    """A URL taken apart.

    host_header: the value of the `Host` header (RFC 9112 section 3.2).
    target: path and query as they are asked for.
    """

    origin: Origin
    host_header: str
    target: str


def read_url(url: str) -> Address:
    """Take a URL apart. Spaces and what is not ASCII are percent-encoded, all else stays.

    Raises `LocalProtocolError` for what is no absolute http or https URL, for a user name or
    password in it, for control characters, and for a host that is not written in ASCII. Its text
    shows no part of the URL.
    """
    match = _URL.fullmatch(url)
    if match is None:
        raise _refused()
    scheme, host, port_text, target = match.groups()
    scheme, host = scheme.lower(), host.lower()
    default = _PORTS[scheme]
    port = int(port_text) if port_text else default
    if not 0 < port <= _LAST_PORT or (host[0] == "[" and not _is_ipv6(host[1:-1])):
        raise _refused()
    if not target or target[0] == "?":
        target = f"/{target}"
    if not _PLAIN.fullmatch(target):
        target = _encoded(target)
    return Address(
        Origin(scheme, host.strip("[]"), port),
        host if port == default else f"{host}:{port}",
        target,
    )


def add_parameters(url: str, parameters: Parameters) -> str:
    """Return a URL with parameters behind those that it has, which stay as they are.

    Raises `LocalProtocolError` for a text that UTF-8 cannot write.
    """
    added = form_encoded(parameters)
    if not added:
        return url
    address, hash_sign, fragment = url.partition("#")
    joint = "?" if "?" not in address else "" if address[-1] in "?&" else "&"
    return f"{address}{joint}{added}{hash_sign}{fragment}"


def form_encoded(parameters: Parameters) -> str:
    """Return parameters form encoded, in their order.

    Raises `LocalProtocolError` for a text that UTF-8 cannot write.
    """
    if isinstance(parameters, Mapping):
        parameters = tuple(cast("Mapping[str, object]", parameters).items())
    try:
        return urlencode(
            [(name, value) for name, value in parameters if value is not None], doseq=True
        )
    except UnicodeEncodeError:
        pass
    # Not inside `except`: the codec's own exception holds the value.
    raise LocalProtocolError("a parameter holds half of a surrogate pair", sent=False)


def without_query(url: str) -> str:
    """Return a URL without its query and fragment, where secrets may be."""
    return url.partition("#")[0].partition("?")[0]


_PORTS = {"http": 80, "https": 443}
_LAST_PORT = 65_535
_URL = re.compile(
    r"(https?)://(\[[0-9a-f:.]++\]|[a-z0-9._-]++)(?::([0-9]{1,5}))?"
    r"((?:[/?][^#\x00-\x1f\x7f]*+)?)(?:#[^\x00-\x1f\x7f]*+)?",
    re.ASCII | re.IGNORECASE,
)
_PLAIN = re.compile(r"[!$-;=?-\[\]_a-z~]++", re.ASCII)
_KEPT = "!$%&'()*+,-./:;=?@[]_~"


def _refused() -> LocalProtocolError:
    return LocalProtocolError(
        "not an absolute http or https URL with a host in ASCII, without user name and password",
        sent=False,
    )


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True


def _encoded(target: str) -> str:
    try:
        return quote(target, safe=_KEPT)
    except UnicodeEncodeError:
        pass
    # Not inside `except`: the codec's own exception holds the value.
    raise LocalProtocolError("the URL holds half of a surrogate pair", sent=False)
