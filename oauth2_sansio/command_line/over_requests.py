"""The driver of `oauth2_sansio_requests`, for the demo."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from oauth2_sansio.events import RequestFailed, RequestToSend, ResponseReceived

_ADAPTERS = Path(__file__).parents[2] / "adapters"


@contextmanager
def requests_sender() -> Generator[
    Callable[[RequestToSend], ResponseReceived | RequestFailed], None, None
]:
    """Give what sends the requests of flows over requests, for the time of a `with` block.

    In a checkout that is not installed, the adapter is found beside the package.
    Raises `ModuleNotFoundError` where requests is not installed.
    """
    import requests

    if find_spec("oauth2_sansio_requests") is None:
        sys.path.append(str(_ADAPTERS))
    from oauth2_sansio_requests.sending import Sender

    with requests.Session() as session:
        session.trust_env = False  # no proxy on the way to this very machine
        yield Sender(session, {}, None, (), 30.0).send
