"""A private certificate authority, as some organisations have, and certificates it issues."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """A private certificate authority; `path` is its certificate, for the trust store."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / "ca.pem"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Maison")])
        self.path.write_bytes(self._signed(self._name, self._key, x509.BasicConstraints(ca=True, path_length=0)))

    def context(self, host: str) -> ssl.SSLContext:
        """The TLS context of a server with that host name."""
        key, place = ec.generate_private_key(ec.SECP256R1()), self.folder / f"{host}.pem"
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        own = self._signed(name, key, x509.SubjectAlternativeName([x509.DNSName(host)]))
        form = serialization.PrivateFormat.PKCS8
        place.write_bytes(own + key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(place)
        return context

    def _signed(self, name: x509.Name, key: ec.EllipticCurvePrivateKey, extension: x509.ExtensionType) -> bytes:
        now = datetime.now(UTC)
        made = x509.CertificateBuilder().subject_name(name).issuer_name(self._name).public_key(key.public_key())
        made = made.serial_number(x509.random_serial_number()).add_extension(extension, critical=False)
        made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        return made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
