"""A simple strict reader of SAML 2.0 assertions that nobody has signed, for tests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from xml.etree import ElementTree as ET

from oauth2_sansio.events import Endpoint

from .jwt_assertions import accepted_audiences, check_times
from .state import ServerState

_SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"
_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"
_BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


def read_saml_assertion(state: ServerState, xml: bytes) -> str:
    """Return the subject of an assertion that is right (RFC 7522 section 3).

    Checked are issuer, audience, the bearer's confirmation with recipient, all times, and that its
    ID was not used before. A signature is refused, since it would not be checked.
    Raises `ValueError` with the reason.
    """
    assertion = _parsed(xml)
    if assertion.tag != f"{_SAML}Assertion" or assertion.get("Version") != "2.0":
        raise ValueError("It is no SAML 2.0 assertion.")
    if assertion.find(f".//{_SIGNATURE}") is not None:
        raise ValueError("It is signed: let ServerSettings(read_saml=...) verify it.")
    issuer = _text(assertion, "Issuer")
    if issuer not in state.settings.saml_issuers:
        raise ValueError("Its issuer is not trusted.")
    conditions = _only(assertion, "Conditions")
    restrictions = _all(conditions, "AudienceRestriction")
    if not restrictions or not all(
        accepted_audiences(state) & {each.text for each in _all(restriction, "Audience")}
        for restriction in restrictions
    ):
        raise ValueError("Its audience is somebody else.")
    subject = _only(assertion, "Subject")
    name = _text(subject, "NameID")
    expires_at = min(_expiries(state, conditions, _all(subject, "SubjectConfirmation")))
    identifier = assertion.get("ID")
    if not identifier:
        raise ValueError("It has no ID.")
    forgotten_at = expires_at + state.settings.clock_skew
    if not state.ledger.spend_assertion(issuer, identifier, forgotten_at, state.now()):
        raise ValueError("It was used before.")
    return name


def _expiries(
    state: ServerState,
    conditions: ET.Element,
    confirmations: Iterable[ET.Element],
) -> Iterator[float]:
    """Check all times, and give the ends of those that are there."""
    recipient = state.url(Endpoint.TOKEN)
    found = [
        data
        for confirmation in confirmations
        if confirmation.get("Method") == _BEARER
        for data in _all(confirmation, "SubjectConfirmationData")
        if data.get("Recipient") == recipient
    ]
    if not found:
        raise ValueError("Its subject is not confirmed for whoever bears it, at this endpoint.")
    expires = [_expiry(state, element) for element in (conditions, found[0])]
    known = [each for each in expires if each is not None]
    if not known:
        raise ValueError("It does not say when it expires.")
    return iter(known)


def _expiry(state: ServerState, element: ET.Element) -> float | None:
    not_before = _time(element, "NotBefore")
    expires_at = _time(element, "NotOnOrAfter")
    check_times(state, expires_at=expires_at, not_before=not_before)
    return expires_at


def _parsed(xml: bytes) -> ET.Element:
    try:
        text = xml.decode()
        # Neither entities nor comments: the ones expand without end, the others split names.
        if "<!" not in text:
            return ET.fromstring(text)  # noqa: S314 - no DTD is let through
    except (ValueError, ET.ParseError):
        pass
    raise ValueError("It is no XML, or has comments or entities.")


def _all(parent: ET.Element, name: str) -> list[ET.Element]:
    return parent.findall(f"{_SAML}{name}")


def _only(parent: ET.Element, name: str) -> ET.Element:
    found = _all(parent, name)
    if len(found) != 1:
        raise ValueError(f"It has not exactly one {name}.")
    return found[0]


def _text(parent: ET.Element, name: str) -> str:
    element = _only(parent, name)
    if not element.text or len(element):
        raise ValueError(f"Its {name} is no text.")
    return element.text


def _time(element: ET.Element, name: str) -> float | None:
    text = element.get(name)
    if text is None:
        return None
    if not _TIME.fullmatch(text):
        raise ValueError(f"Its {name} is no time in UTC.")
    return datetime.fromisoformat(text).timestamp()
