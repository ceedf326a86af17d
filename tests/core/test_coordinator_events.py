from __future__ import annotations

import pytest

from oauth2_sansio.coordinator_events import (
    DeleteRecord,
    LeaseHeld,
    LeaseReleased,
    LeaseTaken,
    LoadRecord,
    RecordDeleted,
    RecordLoaded,
    RecordReplaced,
    ReleaseLease,
    ReplaceRecord,
    SendRequest,
    StoreFailed,
    TakeLease,
    TooLateToSend,
)
from oauth2_sansio.events import Endpoint, RequestToSend

SECRET = b"secret"
REQUEST = RequestToSend(
    endpoint=Endpoint.TOKEN, url="https://as.example/token?secret", form=(("token", "secret"),)
)


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (TakeLease("k", "me", 5.0), "TakeLease(key='k', owner='me', seconds=5.0)"),
        (LoadRecord("k"), "LoadRecord(key='k')"),
        (ReplaceRecord("k", SECRET, 3), "ReplaceRecord(key='k', expected=3)"),
        (DeleteRecord("k", 3), "DeleteRecord(key='k', expected=3)"),
        (ReleaseLease("k", "me"), "ReleaseLease(key='k', owner='me')"),
        (
            SendRequest(REQUEST, 7.0),
            f"SendRequest(request={REQUEST!r}, not_after=7.0)",
        ),
        (LeaseTaken(), "LeaseTaken()"),
        (LeaseHeld(2.0), "LeaseHeld(seconds=2.0)"),
        (RecordLoaded(SECRET, 3), "RecordLoaded(version=3)"),
        (RecordReplaced(None), "RecordReplaced(version=None)"),
        (RecordDeleted(deleted=True), "RecordDeleted(deleted=True)"),
        (LeaseReleased(), "LeaseReleased()"),
        (StoreFailed(OSError("secret")), "StoreFailed(cause=OSError)"),
        (TooLateToSend(), "TooLateToSend()"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_no_secret_is_printed(value: object, printed: str) -> None:
    assert repr(value) == printed
