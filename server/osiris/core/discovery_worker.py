"""The process that reads one connection's catalog: ``python -P -m osiris.core.discovery_worker``.

It gets one line of JSON over standard input, with the secrets of the connection, and answers with one line. What
drivers print goes nowhere. When standard input closes, whoever asked is gone, and so is this process.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osiris.core.own_tables import is_own_table

if TYPE_CHECKING:
    from osiris.core.catalog_source import CatalogSession, ServerInfo
    from osiris.core.schema_cache import SchemaCache
    from osiris.language.catalog import TableInfo

MAX_SAMPLED = 50
"""Of so many tables at most are rows read in one go."""


def main() -> None:
    """Read the request, carry it out, answer."""
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asked decides what Ctrl-C means, and ends this process
    answer_to = _own_output()
    line = sys.stdin.buffer.readline()
    if not line.endswith(b"\n"):
        os._exit(4)
    threading.Thread(target=_end_with_the_asker, daemon=True).start()
    request: dict[str, Any] = json.loads(line)
    from osiris.core.secrets_masking import Masker

    masker = Masker(request["secrets"])
    try:
        answer = carry_out(request, masker)
    except Exception as error:  # noqa: BLE001 - whatever a driver raises, it has to be told
        answer = _failure(error, masker)
    data = json.dumps(answer, default=str).encode("utf-8", "replace") + b"\n"
    while data:
        data = data[os.write(answer_to, data) :]
    os._exit(0)  # threads and exit handlers of foreign code must not hold up the end


def _own_output() -> int:
    """A descriptor for the answer; standard output and errors then lead nowhere."""
    answer_to = os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
    return answer_to


def _end_with_the_asker() -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 65_536):
            pass
    os._exit(4)


def _failure(error: Exception, masker: Any) -> dict[str, Any]:
    from osiris.core.error_taxonomy import OsirisError, describe

    hint = error.hint if isinstance(error, OsirisError) else None
    code = error.code if isinstance(error, OsirisError) else None
    found = {"message": describe(error, masker), "hint": masker.text(hint) if hint else None, "code": code}
    return {"ok": False, "error": found}


def carry_out(request: Mapping[str, Any], masker: Any) -> dict[str, Any]:
    """Read what ``request`` asks for, put it into the store, and say what was found. Raises whatever goes wrong."""
    from osiris.core.catalog_source import Timeouts, catalog_source
    from osiris.core.schema_cache import SchemaCache
    from osiris.core.state_store import StateStore

    started = time.monotonic()
    source = catalog_source(request["family"])
    timeouts = Timeouts(*request["timeouts"])
    connecting = time.monotonic()
    with (
        source.connect(request["fields"], root=Path(request["root"]), timeouts=timeouts) as session,
        StateStore(Path(request["store"])) as state,
    ):
        task = _Task(request, source.dialect, session, SchemaCache(state), started, masker)
        task.latency = time.monotonic() - connecting
        if request["depth"] == "server":
            answer = task.counted()
        else:
            answer = task.named() if request["tables"] else task.everything()
        task.ask_again()
        answer["latency"] = task.latency
        answer["remarks"] = [masker.text(text) for text in (*task.remarks, *state.remarks)]
    return answer


class _Task:
    """One request over an open connection."""

    def __init__(
        self,
        request: Mapping[str, Any],
        dialect: str,
        session: CatalogSession,
        cache: SchemaCache,
        started: float,
        masker: Any,
    ) -> None:
        self.request = request
        self.dialect = dialect
        self.session = session
        self.cache = cache
        self.started = started
        self.masker = masker
        self.read_at = datetime.now(UTC)
        self.server: ServerInfo = session.server()
        self.remarks = list(self.server.remarks)
        self.latency = 0.0

    def ask_again(self) -> None:
        """Add what a user should know and only reading has shown, such as a file or a view that is broken."""
        from osiris.core.error_taxonomy import OsirisError

        with contextlib.suppress(OsirisError):  # all is read by now
            self.remarks += [text for text in self.session.server().remarks if text not in self.remarks]

    def counted(self) -> dict[str, Any]:
        """How many tables there are, for whoever wants to know whether the connection works; nothing is kept."""
        return self._answer(self._tables(), {}, complete=False)

    def _tables(self) -> list[TableInfo]:
        return [info for info in self.session.tables() if not is_own_table(info.name)]

    def everything(self) -> dict[str, Any]:
        """All tables, then their columns; when those fail, the tables are still worth something where none were."""
        tables = self._tables()
        columns: Mapping[Any, Any] = {}
        problem: dict[str, Any] | None = None
        columns_read = False
        if self.request["depth"] != "tables":
            try:
                found = self.session.columns()
                columns, columns_read = {key: found[key] for key in found if not is_own_table(key[1])}, True
            except Exception as error:
                if self._known():
                    raise
                problem = _failure(error, self.masker)["error"]
        reading = self._reading(tables, columns, complete=True, columns_read=columns_read)
        if columns_read or not self._known():  # the columns that are known are worth more than a newer list of tables
            self.cache.store(self.request["fingerprint"], reading)
        return self._answer(tables, columns, complete=problem is None, error=problem)

    def named(self) -> dict[str, Any]:
        """The tables that were named, and nothing else."""
        from osiris.core.error_taxonomy import ValidationError
        from osiris.language.catalog import Catalog
        from osiris.language.suggest import nearest

        every = self.session.tables()
        catalog = Catalog(
            self.request["connection"], self.dialect, every, {}, default_schema=self.server.default_schema
        )
        chosen: dict[tuple[str, str], TableInfo] = {}
        for name in self.request["tables"]:
            info = catalog.find(name)
            if info is None:
                self._forget(name)
                close = nearest(name, [table.name for table in every])
                hint = f"Did you mean {close}?" if close else "Check the spelling, and the rights of the user."
                raise ValidationError(f"There is no table {name} in {self.request['connection']}.", hint=hint)
            chosen[info.schema, info.name] = info
        tables = list(chosen.values())
        columns = self.session.columns(tables)
        self.cache.store_tables(self.request["fingerprint"], self._reading(tables, columns, complete=False))
        return self._answer(tables, columns, complete=False)

    def _forget(self, name: str) -> None:
        """Take a table that is not there any more out of what is known."""
        known = self.cache.load(self.request["fingerprint"], self.request["connection"])
        info = known.catalog.find(name) if known is not None else None
        if info is not None:
            self.cache.remove_table(self.request["fingerprint"], info.schema, info.name)

    def _known(self) -> bool:
        return self.cache.generation(self.request["fingerprint"]) is not None

    def _reading(
        self, tables: Sequence[TableInfo], columns: Mapping[Any, Any], *, complete: bool, columns_read: bool = True
    ) -> Any:
        from osiris.core.schema_cache import Reading

        seconds = time.monotonic() - self.started
        return Reading(self.dialect, self.server, tables, columns, complete, self.read_at, seconds, columns_read)

    def _answer(
        self,
        tables: Sequence[TableInfo],
        columns: Mapping[Any, Any],
        *,
        complete: bool,
        error: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "ok": error is None,
            "complete": complete,
            "tables": len(tables),
            "columns": sum(len(found) for found in columns.values()),
            "readAt": self.read_at.timestamp(),
            "product": self.server.product,
            "version": self.server.version,
            "error": error,
        }
        if self.request["samples"] and error is None:
            answer["samples"] = self._samples(tables)
        return answer

    def _samples(self, tables: Sequence[TableInfo]) -> list[dict[str, Any]]:
        from osiris.core.error_taxonomy import OsirisError, describe

        found: list[dict[str, Any]] = []
        for info in tables[:MAX_SAMPLED]:
            sample: dict[str, Any] = {"schema": info.schema, "table": info.name}
            try:
                read = self.session.sample(info, self.request["samples"])
                sample |= {"columns": list(read.columns), "rows": [list(row) for row in read.rows]}
            except OsirisError as error:
                sample |= {"columns": [], "rows": [], "error": describe(error, self.masker)}
            found.append(sample)
        if len(tables) > MAX_SAMPLED:
            self.remarks.append(f"Rows were read of the first {MAX_SAMPLED} of {len(tables)} tables; name the others.")
        return found


if __name__ == "__main__":
    main()
