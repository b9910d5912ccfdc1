"""The tables and columns of a Supabase project, read from the PostgreSQL database behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from osiris.core.catalog_source import Timeouts
from osiris.core.error_taxonomy import ConfigurationError
from osiris.drivers.connection_fields import text_field
from osiris.drivers.postgres.catalog import PostgresCatalog, PostgresSession

# What an address may say; anything else, such as the name of a service file, would make libpq look elsewhere.
_FIELDS = {
    "host": "host",
    "port": "port",
    "dbname": "database",
    "user": "user",
    "password": "password",
    "sslmode": "sslmode",
    "sslrootcert": "sslrootcert",
}
_IGNORED = frozenset({"application_name", "connect_timeout", "client_encoding", "fallback_application_name"})
_WHERE = "It begins with postgresql://, holds the password, and is shown under Connect on the project's page."


class SupabaseCatalog:
    """Opens the database of a Supabase project, for reading alone."""

    dialect = "postgres"

    @contextmanager
    def connect(self, fields: Mapping[str, Any], *, root: Path, timeouts: Timeouts) -> Iterator[PostgresSession]:
        """Connect with the field ``pg_dsn``; the REST interface, which ``key`` is for, tells no types."""
        own = {"schema": fields.get("schema"), **postgres_fields(text_field(fields, "pg_dsn"))}
        with PostgresCatalog().connect(own, root=root, timeouts=timeouts) as session:
            yield session


def postgres_fields(address: str) -> dict[str, Any]:
    """The address of a database as the fields of a connection of the family postgres.

    Raises ConfigurationError, which never holds the address.
    """
    if not address:
        raise ConfigurationError(
            "The Supabase connection has no field pg_dsn: its tables are read from the project's PostgreSQL database.",
            hint=f'Add pg_dsn: "${{SUPABASE_PG_DSN}}" to it, and set that variable to the address. {_WHERE}',
        )
    try:
        parts = conninfo_to_dict(address)
    except psycopg.ProgrammingError:
        raise ConfigurationError("The field pg_dsn is no address of a PostgreSQL database.", hint=_WHERE) from None
    odd = sorted(set(parts) - set(_FIELDS) - _IGNORED)
    if odd:
        raise ConfigurationError(
            f"The field pg_dsn may not say {', '.join(odd)}.", hint=f"It may say {', '.join(_FIELDS)}."
        )
    return {field: parts[name] for name, field in _FIELDS.items() if parts.get(name)}
