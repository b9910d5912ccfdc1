"""What is said of a database where a step does not fit it, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache

from osiris.language.catalog import Catalog, SchemaKnowledge, Table, age_text
from osiris.language.facts import TableNamed
from osiris.language.findings import finding
from osiris.language.project_file_names import LOCK_FILE
from osiris.language.rules.config_names import ConfigName
from osiris.language.rules.context import StepContext
from osiris.language.rules.nodes import cut
from osiris.language.rules.sql_word import SqlWord
from osiris.language.schema_drift import table_changes
from osiris.language.step_database import StepDatabase
from osiris.language.suggest import listing, nearest
from osiris.syntax.diagnostic import Diagnostic, Fix, Related, Severity
from osiris.syntax.text import Span

EXACT = frozenset({"postgres"})
"""Where a name in a config counts letter by letter, since the driver puts it in quotes."""
_RELOCK = "Run `osiris discover --lock`."


class DatabaseFindings:
    """Makes the findings of one step under one profile, which ``suffix`` names; empty for the chosen one."""

    def __init__(self, ctx: StepContext, database: StepDatabase, knowledge: SchemaKnowledge, suffix: str) -> None:
        self.ctx = ctx
        self.database = database
        self.knowledge = knowledge
        self.suffix = suffix
        self.reference = database.connection.reference

    def found(
        self,
        code: str,
        name: ConfigName | SqlWord,
        message: str,
        *fixes: Fix | None,
        certain: bool = True,
        related: Span | None = None,
        relock: bool = False,
    ) -> Diagnostic:
        """A finding about a name; a hint where it is not certain. ``related`` is where the table is named."""
        notes = (Related(related, "This is the table."),) if related is not None else ()
        severity = None if certain else Severity.HINT
        return finding(code, name.span, message + self.suffix, *fixes, related=notes, severity=severity, relock=relock)

    def note_missing(self, target: TableNamed, missing: Diagnostic) -> None:
        """Note what is not there, once: the document may hold a step that makes it."""
        said = missing.message.removesuffix(self.suffix)
        if not any(one.span == missing.span and one.message.startswith(said) for _, one in self.ctx.missing_tables):
            self.ctx.missing_tables.append((target, missing))

    # -- what is not there

    def absent(self, what: str, catalog: Catalog, hint: str) -> str:
        """That something is not there, as sure as one can be; ``hint`` says what is there instead."""
        if self.knowledge.is_fresh:
            return f"`{self.reference}` has no {what}.{hint} {self._as_of()}"
        age = age_text(self.knowledge.age())
        if not catalog.complete:
            return f"`{self.reference}` has no {what} that could be read {age}.{hint}"
        command = f"Run `osiris discover {self.reference}` to be sure."
        return f"`{self.reference}` had no {what} when it was read, {age}{self._since()}. {command}{hint}"

    def instead(self, others: list[str], known: tuple[str, ...], searched: bool) -> str:
        """What there is: the table in ``others``, which are schemas, or all tables when they are few."""
        if others:
            reached = ", which the server may search as well" if searched else ""
            return f" There is one in {listing(others)}{reached}."
        return f" There is {listing(cut(one) for one in known)}." if 0 < len(known) <= 6 else ""

    def no_column(
        self, name: ConfigName | SqlWord, table: Table, catalog: Catalog, fix: Fix | None, near: str | None, at: Span
    ) -> Diagnostic:
        """That a table lacks a column, as sure as one can be.

        ``near`` is the column that may be meant and ``fix`` what writes it; ``at`` is where the table is named.
        """
        shown, column = f"`{cut(table.info.name)}`", f"`{cut(name.text)}`"
        age, certain = age_text(self.knowledge.age()), self.knowledge.is_certain(table, catalog)
        has = f"It has {listing(cut(c.name) for c in table.columns or ())}."
        hint = f"Did you mean `{cut(near)}`?" if near else has
        newer = self._is_newer(name, table, catalog)
        if newer:
            fix = None
            message = (
                f"{shown} has a column {column} in `{self.reference}` (read {age}), but not yet in {LOCK_FILE}, by "
                f"which this pipeline is checked. {_RELOCK}"
            )
        elif catalog is self.knowledge.locked:
            message = f"{shown} has no column {column} in {LOCK_FILE}. {hint}"
        elif certain:
            message = f"{shown} has no column {column}. {hint} {self._as_of()}"
        else:
            message = f"{shown} had no column {column} when it was read, {age}{self._since(table)}. {hint}"
        return self.found("OML411", name, message, fix, certain=certain, related=at, relock=newer)

    def doubt(self, table: Table, catalog: Catalog) -> str:
        """Why the columns of a table are not certain, as a sentence without its point; empty when they are."""
        if self.knowledge.is_certain(table, catalog):
            return ""
        read = f"was read {age_text(self.knowledge.age())}{self._since(table)}"
        return f"`{cut(table.info.name)}` {read}; `osiris discover {self.reference}` reads it anew"

    def read_at(self, *catalogs: Catalog) -> datetime | None:
        """When what is known was read, where ``catalogs`` were and are not committed."""
        known = self.knowledge.discovered
        return known.read_at if known is not None and known in catalogs else None

    def _since(self, table: Table | None = None) -> str:
        """What has happened since the tables were read."""
        if table is not None and table.info.written:
            return ", and a run has written to it since"
        return ", and the file of the database has changed since" if self.knowledge.has_changed else ""

    def _as_of(self) -> str:
        """When the tables were read, for whoever has changed them since."""
        return f"(Read {age_text(self.knowledge.age())}; `osiris discover {self.reference}` reads them anew.)"

    # -- what the lock says

    def lock(self, name: ConfigName | SqlWord, table: Table, catalog: Catalog) -> Iterator[Diagnostic]:
        """What is locked is what is there now."""
        knowledge = self.knowledge
        if knowledge.locked is None or knowledge.discovered is None:
            return
        if catalog is not knowledge.locked:
            yield self.not_locked(name, knowledge.locked)
        elif knowledge.is_fresh:
            now = self._now(knowledge.discovered, table, catalog)
            changes = ("the table is gone",) if now is None else table_changes(table, now)
            if changes:
                shown = ", ".join(cut(change) for change in changes[:4])
                more = f" and {len(changes) - 4} more" if len(changes) > 4 else ""
                message = (
                    f"`{cut(table.info.name)}` has changed since {LOCK_FILE} was written: {shown}{more} (read "
                    f"{age_text(knowledge.age())}). {_RELOCK}"
                )
                yield self.found("OML413", name, message, relock=True)

    def not_locked(self, name: ConfigName | SqlWord, locked: Catalog) -> Diagnostic:
        """That the lock does not hold a table yet."""
        near = nearest(name.text, table_names(locked, self.database.schema)) if not self.knowledge.discovered else None
        hint = f" Did you mean `{cut(near)}`?" if near else ""
        fix = name.written(near, preferred=False) if near else None
        why = "so that others cannot check this step"
        message = f"`{cut(name.text)}` is not in {LOCK_FILE} yet, {why}.{hint} {_RELOCK}"
        return self.found("OML412", name, message, fix, relock=True)

    def _is_newer(self, name: ConfigName | SqlWord, table: Table, catalog: Catalog) -> bool:
        """Whether the lock lacks a column that the database has by a fresh reading."""
        knowledge = self.knowledge
        if catalog is not knowledge.locked or knowledge.discovered is None or not knowledge.is_fresh:
            return False
        now = self._now(knowledge.discovered, table, catalog)
        return now is not None and now.column(name.text, any_case=catalog.dialect not in EXACT) is not None

    def _now(self, discovered: Catalog, table: Table, locked: Catalog) -> Table | None:
        """A table of the lock as the database has it; its default schema may have another name there."""
        schema = table.info.schema if table.info.schema != locked.default_schema else self.database.schema
        return discovered.table(table.info.name, schema)


@lru_cache(maxsize=4)
def table_names(catalog: Catalog, schema: str | None) -> tuple[str, ...]:
    """What may be written for a table where ``schema`` is said: in the default schema its name alone does."""
    home = catalog.default_schema if schema is None else schema
    here = [table.name for table in catalog.tables if table.schema.casefold() == home.casefold()]
    if schema is None:
        here += [f"{table.schema}.{table.name}" for table in catalog.tables if table.schema != home and table.schema]
    return tuple(here)
