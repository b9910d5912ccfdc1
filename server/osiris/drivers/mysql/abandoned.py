"""Tables that runs were filling under a name of our own when they were killed: the next run that makes one drops them.

Whoever fills such a table holds a lock of its name as long as it is connected. What it has written is gone with it, so
an abandoned table is empty; one with rows is complete, and waits for the resume that gives it its name.
"""

from __future__ import annotations

import contextlib

from osiris.core.error_taxonomy import OsirisError
from osiris.core.own_tables import UNNAMED, is_own_table
from osiris.drivers.mysql.catalog import quote_name
from osiris.drivers.mysql.session import StepSession

_OF_OURS = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s AND LEFT(table_name, %s) = %s"
_OF_ONE_NODE = "SHOW VARIABLES WHERE Variable_name = 'wsrep_on' AND Value = 'ON'"
_DROP_SECONDS = 1


def remove_abandoned(session: StepSession, schema: str, own: str) -> None:
    """Drop what is abandoned in ``schema``, and lock the name ``own``. Where that cannot be, all stays as it is.

    Not to be called within a transaction, which a DROP would end.
    """
    with contextlib.suppress(OsirisError):
        session.rows("SELECT GET_LOCK(%s, 0)", [own])
        if session.rows(_OF_ONE_NODE):  # a cluster, whose nodes know nothing of each other's locks
            return
        found = [str(row[0]) for row in session.rows(_OF_OURS, [schema, len(UNNAMED), UNNAMED])]
        left = [name for name in found if name != own and is_own_table(name)]
        if left:
            session.rows(f"SET SESSION lock_wait_timeout = {_DROP_SECONDS}")
            for name in left:
                _drop(session, f"{quote_name(schema)}.{quote_name(name)}", name)
            session.rows("SET SESSION lock_wait_timeout = DEFAULT")


def _drop(session: StepSession, table: str, name: str) -> None:
    with contextlib.suppress(OsirisError):  # somebody looks into it, or another run has dropped it
        free = session.rows("SELECT IS_FREE_LOCK(%s)", [name])[0][0]
        if free and not session.rows(f"SELECT 1 FROM {table} LIMIT 1"):
            session.rows(f"DROP TABLE {table}")
