"""PostgreSQL, through psycopg."""

from __future__ import annotations

try:
    import psycopg as psycopg
except ModuleNotFoundError:
    raise
except ImportError:
    # psycopg is there, but no libpq that it could use: installing it with the extra "binary" brings one.
    raise ModuleNotFoundError("there is no libpq for psycopg", name="psycopg") from None
