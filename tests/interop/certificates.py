"""Certificates of clients for these tests, and how each library is given one."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from .sessions import Kind


@dataclass(frozen=True)
class Certificate:
    """A certificate with its key, in one PEM file."""

    file: Path

    @property
    def pem(self) -> str:
        return self.file.read_text()


class Certificates:
    """An authority, the certificates of a server, and those of clients.

    signed, other: of the authority.
    self_signed: of nobody else.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        authority = trustme.CA()
        self.authority = folder / "authority.pem"
        authority.cert_pem.write_to_path(str(self.authority))
        self.server = self._keep("server", authority.issue_cert("localhost", "127.0.0.1"))
        self.signed = self._keep("signed", authority.issue_cert("bank.example"))
        self.other = self._keep("other", authority.issue_cert("other.example"))
        self.self_signed = self._sign_itself("itself.example")

    def serving(self, mode: ssl.VerifyMode) -> ssl.SSLContext:
        """Return the settings of a server that asks its clients for a certificate."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.server.file)
        context.load_verify_locations(self.authority)
        context.load_verify_locations(self.self_signed.file)
        context.verify_mode = mode
        return context

    def context(self, certificate: Certificate | None) -> ssl.SSLContext:
        """Return the settings of a client."""
        context = ssl.create_default_context(cafile=str(self.authority))
        if certificate is not None:
            context.load_cert_chain(certificate.file)
        return context

    @contextmanager
    def session(
        self, kind: Kind, certificate: Certificate | None, *arguments: Any, **settings: Any
    ) -> Iterator[Any]:
        """Open a client with the drop-in vocabulary that shows a certificate."""
        if kind.adapter != "oauth2_sansio_requests":
            settings["verify"] = self.context(certificate)
        with kind.session(*arguments, **settings) as session:
            self.prepare(kind, session, certificate)
            yield session

    def prepare(self, kind: Kind, session: Any, certificate: Certificate | None) -> None:
        """Do the rest, for a library that takes no such settings when a session is made."""
        if kind.adapter == "oauth2_sansio_requests":
            session.verify = str(self.authority)
            session.cert = None if certificate is None else str(certificate.file)

    def _keep(self, name: str, certificate: trustme.LeafCert) -> Certificate:
        file = self.folder / f"{name}.pem"
        certificate.private_key_and_cert_chain_pem.write_to_path(str(file))
        return Certificate(file)

    def _sign_itself(self, name: str) -> Certificate:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .sign(key, SHA256())
        )
        file = self.folder / "itself.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + made.public_bytes(serialization.Encoding.PEM)
        )
        return Certificate(file)
