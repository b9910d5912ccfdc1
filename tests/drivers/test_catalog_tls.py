"""Discovery over encrypted connections, on real servers with certificates of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from osiris.core.catalog_source import Timeouts, catalog_source
from osiris.core.error_taxonomy import ConnectionError as Unreachable
from servers import (
    MariaDB,
    PostgreSQL,
    Server,
    mariadb_programs,
    openssl_program,
    or_missing,
    postgres_programs,
    start_mariadb,
    start_postgres,
)


@dataclass
class Certificate:
    """A certificate for ``localhost`` that vouches for itself, and its key."""

    file: Path
    key: Path


@pytest.fixture(scope="module")
def certificate() -> Iterator[Certificate]:
    """Files that the user of a server can read."""
    or_missing(openssl_program)
    with tempfile.TemporaryDirectory(prefix="osiris-tls-", dir="/tmp") as name:
        made = Certificate(Path(name) / "server.pem", Path(name) / "server.key")
        subprocess.run(
            [
                *(openssl_program(), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
                *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
                *("-keyout", made.key, "-out", made.file),
            ],
            check=True,
            capture_output=True,
        )
        made.key.chmod(0o600)
        Path(name).chmod(0o755)
        if os.geteuid() == 0:
            shutil.chown(made.key, "root")
        yield made


@pytest.fixture(scope="module")
def encrypted_mariadb(certificate: Certificate) -> Iterator[MariaDB]:
    """A MariaDB server that takes encrypted connections."""
    or_missing(mariadb_programs)
    with start_mariadb(f"--ssl-cert={certificate.file}", f"--ssl-key={certificate.key}") as server:
        yield server


@pytest.fixture(scope="module")
def encrypted_postgres(certificate: Certificate) -> Iterator[PostgreSQL]:
    """A PostgreSQL server that takes encrypted connections; it wants a key that nobody else can read, or root's."""
    or_missing(postgres_programs)
    if os.geteuid() == 0:
        certificate.key.chmod(0o640)
        shutil.chown(certificate.key, "root", _group_of_the_server())
    options = ["ssl=on", f"ssl_cert_file={certificate.file}", f"ssl_key_file={certificate.key}"]
    with start_postgres(*(part for option in options for part in ("-c", option))) as server:
        yield server


def _group_of_the_server() -> int:
    import pwd

    from servers import unprivileged

    return pwd.getpwnam(unprivileged() or "root").pw_gid


@pytest.mark.parametrize("mode", ["preferred", "required", "verify_ca", "verify_identity"])
def test_mysql_is_read_encrypted(
    encrypted_mariadb: MariaDB, certificate: Certificate, mode: str, tmp_path: Path
) -> None:
    _read(encrypted_mariadb, tmp_path, host="localhost", ssl_mode=mode, ssl_ca=str(certificate.file))


@pytest.mark.parametrize("mode", ["prefer", "require", "verify-ca", "verify-full"])
def test_postgres_is_read_encrypted(
    encrypted_postgres: PostgreSQL, certificate: Certificate, mode: str, tmp_path: Path
) -> None:
    _read(encrypted_postgres, tmp_path, host="localhost", sslmode=mode, sslrootcert=str(certificate.file))


def test_mysql_may_be_told_to_encrypt_nothing(encrypted_mariadb: MariaDB, tmp_path: Path) -> None:
    _read(encrypted_mariadb, tmp_path, ssl_mode="disabled")


def test_a_certificate_of_mysql_that_nobody_vouches_for_is_refused(encrypted_mariadb: MariaDB, tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="with TLS: self-signed certificate"):
        _read(encrypted_mariadb, tmp_path, host="localhost", ssl_mode="verify_ca")


def test_a_certificate_of_postgres_that_nobody_vouches_for_is_refused(
    encrypted_postgres: PostgreSQL, tmp_path: Path
) -> None:
    with pytest.raises(Unreachable, match="with TLS: SSL error: certificate verify failed"):
        _read(encrypted_postgres, tmp_path, host="localhost", sslmode="verify-full", sslrootcert="system")


def test_a_certificate_for_another_host_is_refused_by_mysql(
    encrypted_mariadb: MariaDB, certificate: Certificate, tmp_path: Path
) -> None:
    with pytest.raises(Unreachable, match="with TLS: IP address mismatch"):
        _read(encrypted_mariadb, tmp_path, ssl_mode="verify_identity", ssl_ca=str(certificate.file))


def test_a_certificate_for_another_host_is_refused_by_postgres(
    encrypted_postgres: PostgreSQL, certificate: Certificate, tmp_path: Path
) -> None:
    with pytest.raises(Unreachable, match=r'with TLS: server certificate for "localhost".* does not match'):
        _read(encrypted_postgres, tmp_path, sslmode="verify-full", sslrootcert=str(certificate.file))


def _read(server: Server, root: Path, **fields: str) -> None:
    source = catalog_source(server.family)
    with (
        server.database("CREATE TABLE t (a int)") as database,
        source.connect(server.fields(database) | fields, root=root, timeouts=Timeouts(connect=5)) as session,
    ):
        assert [info.name for info in session.tables()] == ["t"]
