"""What holds for all tests: no way out of this machine, and no test that hangs on its speed."""

from __future__ import annotations

import ipaddress
import os
import sys

from hypothesis import settings

# A test never fails for being slow. Where a run decides something, it tries the same every time.
settings.register_profile("at the desk", deadline=None)
settings.register_profile("repeatable", deadline=None, derandomize=True, database=None)
settings.load_profile("repeatable" if os.environ.get("CI") else "at the desk")

# What the person at this machine has set for programs of theirs is none of the tests' business.
for _name in (
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"),
):
    os.environ.pop(_name, None)
    os.environ.pop(_name.lower(), None)


class WayOut(BaseException):
    """A test has tried to reach another machine. No code under test may catch this."""


def _is_this_machine(host: object) -> bool:
    if host in (None, "", "localhost", b"localhost"):
        return True
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return False


def _stay_here(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse to connect, and to look up a name, elsewhere than on this machine."""
    if event == "socket.connect":
        address = arguments[1]
        host = (
            address[0] if isinstance(address, tuple) else None
        )  # a path: a socket of this machine
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if not _is_this_machine(host):
        raise WayOut(f"a test must not reach {host!r}")


sys.addaudithook(_stay_here)
