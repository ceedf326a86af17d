"""A record as bytes that tell whether they are whole, for the stores that have no database below.

One line of ASCII, then the content:

    oauth2_sansio-record 1 VERSION LENGTH SHA256
"""

from __future__ import annotations

import re
from hashlib import sha256

from ..errors import StoreError
from .protocol import StoredRecord

_FORMAT = 1
_NAME = b"oauth2_sansio-record"
_LINE = re.compile(
    rb"oauth2_sansio-record (?P<format>[1-9][0-9]{0,8}) "
    rb"(?P<version>[1-9][0-9]{0,17}) (?P<length>0|[1-9][0-9]{0,17}) (?P<digest>[0-9a-f]{64})\n"
)


def frame(record: StoredRecord) -> bytes:
    """Return a record as bytes."""
    line = f"{_FORMAT} {record.version} {len(record.content)} {sha256(record.content).hexdigest()}"
    return b"%s %s\n%s" % (_NAME, line.encode(), record.content)


def unframe(data: bytes, place: str) -> StoredRecord:
    """Return the record in bytes.

    place: where they come from, for errors.
    Raises `StoreError` where they are no record, not whole, or of a newer format.
    """
    found = _LINE.match(data)
    if found is None:
        raise damaged(place, "it is no record of this library")
    if int(found["format"]) != _FORMAT:
        raise damaged(
            place,
            f"it has the format {int(found['format'])}, and this version reads {_FORMAT}",
            advice="use the version of oauth2_sansio that has written it",
        )
    content = data[found.end() :]
    whole = len(content) == int(found["length"])
    if not whole or sha256(content).hexdigest().encode() != found["digest"]:
        raise damaged(place, "it is cut off or changed")
    return StoredRecord(content, int(found["version"]))


def damaged(
    place: str, reason: str, *, advice: str | None = None, cause: BaseException | None = None
) -> StoreError:
    """Return the error for what is stored and cannot be read."""
    return StoreError(
        f"{place} cannot be read: {reason}",
        error="damaged_record",
        cause=cause,
        advice=advice or "see what else writes there; remove it, and authorize again",
    )
