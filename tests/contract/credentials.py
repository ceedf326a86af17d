"""What is secret in a run, and how to find it in what was printed."""

from __future__ import annotations

import base64
import traceback
from collections.abc import Iterable, Iterator
from urllib.parse import quote

CLIENT_ID = "app"
CLIENT_SECRET = "client-secret-9f2c"
CODE = "authorization-code-61ab"
CODE_VERIFIER = "dmVyaWZpZXIgb2YgdGhpcyBydW4gb2YgdGhlIHRhYmxl"
REFRESH_TOKEN = "refresh-token-sent-4be0"
ISSUED_REFRESH_TOKEN = "refresh-issued-c0ffee12"
ACCESS_TOKEN = "access-issued-77aa31"
SHORT_ACCESS_TOKEN = "a1-s2-d3-f4"  # no reader would take it for one by its looks

SENT = (CLIENT_SECRET, CODE, CODE_VERIFIER, REFRESH_TOKEN)
ISSUED = (ACCESS_TOKEN, SHORT_ACCESS_TOKEN, ISSUED_REFRESH_TOKEN)
BASIC = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()


def secrets_in(text: str) -> list[str]:
    """Return the secrets that a text shows, also where it has them escaped."""
    found = [secret for secret in (*SENT, *ISSUED, BASIC) if secret in text]
    return found + [secret for secret in SENT if _percent_encoded(secret) in text]


def printed(error: BaseException) -> str:
    """Return all that Python prints of an exception, and of those that it came of."""
    texts = ["".join(traceback.format_exception(error))]
    for each in _chain(error):
        texts += (str(each), repr(each))
    return "\n".join(texts)


def _chain(error: BaseException) -> Iterator[BaseException]:
    waiting: list[BaseException] = [error]
    seen: set[int] = set()
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        within: Iterable[BaseException] = (
            each.exceptions if isinstance(each, BaseExceptionGroup) else ()
        )
        waiting += [one for one in (each.__cause__, each.__context__, *within) if one is not None]


def _percent_encoded(secret: str) -> str:
    return quote(secret, safe="").replace("-", "%2D")
