"""The members of a metadata document, read strictly (RFC 8414 section 2, RFC 9728 section 2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn, cast

from .errors import RemoteProtocolError
from .events import Endpoint, RequestToSend


def metadata_request(url: str) -> RequestToSend:
    """Return the request for a document; nobody has to know who asks."""
    return RequestToSend(
        endpoint=Endpoint.METADATA,
        method="GET",
        url=url,
        headers=(("Accept", "application/json"),),
    )


def bad_metadata(reason: str, *, error: str | None = None) -> RemoteProtocolError:
    """Return the error for a document that cannot be used."""
    return RemoteProtocolError(
        f"the server's metadata cannot be used: {reason}",
        error=error,
        endpoint=Endpoint.METADATA,
        advice="check the issuer, or the resource; if it is right, the fault is the server's",
    )


def check_object(document: object) -> None:
    """Raise `RemoteProtocolError` for a document that is no object."""
    if not isinstance(document, Mapping):
        raise bad_metadata("it is not a JSON object")


def read_text(document: Mapping[str, Any], name: str) -> str | None:
    """Return a member that is a text; None where it is missing, null or empty."""
    value = document.get(name)
    if value is not None and not isinstance(value, str):
        _wrong_type(name, "a text")
    return value or None


def read_object(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a member that is an object; an empty one where it is missing or null."""
    value = document.get(name)
    if value is not None and not isinstance(value, Mapping):
        _wrong_type(name, "a JSON object")
    return cast("Mapping[str, Any]", value or {})


def read_list(document: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    """Return a member that is a list of texts; None where it is missing or null."""
    value = document.get(name)
    if value is None:
        return None
    items = cast("list[object]", value) if isinstance(value, (list, tuple)) else [None]
    texts = tuple(item for item in items if isinstance(item, str))
    if len(texts) != len(items):
        _wrong_type(name, "a list of texts")
    return texts


def read_flag(document: Mapping[str, Any], name: str) -> bool:
    """Return a member that is true or false; false where it is missing or null."""
    value = document.get(name)
    if value is not None and not isinstance(value, bool):
        _wrong_type(name, "true or false")
    return bool(value)


def _wrong_type(name: str, wanted: str) -> NoReturn:
    raise bad_metadata(f"its {name} is not {wanted}")
