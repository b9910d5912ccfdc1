"""One of the processes that use a state store at once: ``python -P store_process.py FILE NAME ROUNDS``.

In each round it replaces its own reading and the one that all share, gives a consent, and looks whether what it sees of
the shared reading is whole. After each round it says so, once that is kept.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from osiris.core.catalog_source import ServerInfo
from osiris.core.schema_cache import Reading, SchemaCache
from osiris.core.state_store import StateStore
from osiris.language.catalog import Column, TableInfo

TABLES, COLUMNS = 40, 5


def reading(stamp: str) -> Reading:
    """A reading in which everything carries the same stamp."""
    tables = [TableInfo("s", f"t{number}", comment=stamp) for number in range(TABLES)]
    columns = tuple(Column(f"c{number}", stamp) for number in range(COLUMNS))
    return Reading(
        "mysql", ServerInfo("X", stamp, "s"), tables, {("s", t.name): columns for t in tables}, True, datetime.now(UTC)
    )


def stamp_of(cache: SchemaCache, fingerprint: str) -> str:
    """The stamp that all of a reading carries. Raises AssertionError when it is not whole."""
    known = cache.load(fingerprint, "@mysql.x")
    assert known is not None, f"{fingerprint} is lost"
    stamps = {known.server.version, *(info.comment for info in known.catalog.tables)}
    assert len(stamps) == 1, f"{fingerprint} is torn: {stamps}"
    assert len(known.catalog.tables) == known.columns_known == TABLES, f"{fingerprint} is not whole"
    return stamps.pop()


def main() -> None:
    path, name, rounds = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    with StateStore(path, wait=60) as store:
        cache = SchemaCache(store)
        for number in range(rounds):
            stamp = f"{name}-{number}"
            cache.store(name, reading(stamp))
            cache.store("shared", reading(stamp))
            store.grant_consent(stamp)
            print(number, flush=True)
            stamp_of(cache, "shared")
            cache.mark_written("shared", "t1", "s")


if __name__ == "__main__":
    main()
