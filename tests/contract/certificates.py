"""Certificates for a hostile server and for whoever trusts it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import trustme

from .drivers import Trust


@dataclass(frozen=True)
class Certified:
    """Certificates for both sides.

    server: has a certificate for 127.0.0.1 and localhost.
    elsewhere: has one for another host.
    expired: has one that is over.
    trust: of whoever takes all three.
    """

    server: ssl.SSLContext
    elsewhere: ssl.SSLContext
    expired: ssl.SSLContext
    trust: Trust


def certify(folder: Path) -> Certified:
    """Return new certificates, of an authority that is written into a folder."""
    authority = trustme.CA()
    path = folder / "authority.pem"
    authority.cert_pem.write_to_path(path)
    context = ssl.create_default_context()
    authority.configure_trust(context)

    def serving(certificate: trustme.LeafCert) -> ssl.SSLContext:
        found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(found)
        return found

    over = datetime(2020, 1, 1, tzinfo=UTC)
    return Certified(
        server=serving(authority.issue_cert("127.0.0.1", "localhost")),
        elsewhere=serving(authority.issue_cert("as.example")),
        expired=serving(authority.issue_cert("127.0.0.1", not_after=over)),
        trust=Trust(context, str(path)),
    )
