"""The journal: which appends a database holds, written into it in one transaction with their rows.

A run that is killed while it commits cannot know whether its rows arrived. The database can: either both are there,
the rows and their entry in the table ``osiris_journal``, or neither. So the run that goes on looks before it appends.

An entry is needed until the run that made it has been resumed or never will be; old ones are removed by later appends.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, NamedTuple

from osiris.core.error_categories import ErrorCategory
from osiris.core.error_taxonomy import ConfigurationError, OsirisError
from osiris.core.own_tables import JOURNAL
from osiris.drivers.context import StepContext, StepStopped
from osiris.drivers.targets import unknown_outcome
from osiris.sql.columns import quote_name

TABLE = JOURNAL
KEPT_DAYS = 30
"""How long entries stay at least."""


class WrittenBefore(Exception):  # noqa: N818 - an end that is a good one
    """The rows are in the target: a run that was stopped had got through."""


class Entry(NamedTuple):
    """One append: the run and the step that did it (or tried to), and what it appends to."""

    run: str
    step: str
    target: str

    @classmethod
    def of(cls, step: StepContext, *target: str | None) -> Entry:
        """The entry of ``step``; ``target`` is the name of the table as the step gives it, with what belongs to it."""
        digest = hashlib.sha256("\0".join(part or "" for part in target).encode()).hexdigest()
        return cls(step.in_doubt_since or step.session_id, step.step_id, digest)


class Journal(ABC):
    """The journal beside one table that rows are appended to; ``appends``: whether they are, and not put in otherwise.

    An upsert appends, too, where a row has NULL in its key: it is equal to no other and would be there twice.

    ``begin`` comes before everything else, ``enter`` last in the transaction. In between nothing is known to others.
    """

    def __init__(self, step: StepContext, entry: Entry, shown: str, *, appends: bool) -> None:
        self.step = step
        self.entry = entry
        self.shown = shown
        self.appends = appends
        self.kept = False

    def begin(self) -> None:
        """Make the journal where it is missing, and look whether a run that was stopped has written the rows.

        Raises WrittenBefore when it has, ConfigurationError when that cannot be found out any more.
        """
        if not self.appends:
            return
        self.kept = self._wanted() and self._make()
        if self.kept and self._holds():  # by that run, or by an attempt in this one that never heard of its success
            self.step.written_by = self.step.in_doubt_since
            raise WrittenBefore
        if self.step.in_doubt_since is not None and not self.kept:
            raise self._unreadable()

    def _wanted(self) -> bool:
        from osiris.core.config import Config

        return Config.load(self.step.root).runtime.journal

    def nothing_appended(self) -> None:
        """Say that no row came that would be there twice if the step were done again: no entry is needed."""
        self.appends = self.kept = False

    def enter(self) -> None:
        """Enter what the transaction did, and tell the run that it is about to be made final. Raises WrittenBefore."""
        if self.kept:
            self.kept = self._add()
        self.step.about_to_commit(journalled=self.kept if self.appends else None)

    @contextlib.contextmanager
    def committing(self, *lost: ErrorCategory) -> Iterator[None]:
        """Within this, the transaction is made final. Raises what ``unknown_outcome`` makes when nobody can know.

        ``lost``: the kinds of errors, beside a lost connection, after which it may be final all the same.
        """
        try:
            yield
        except (OsirisError, StepStopped) as error:
            category = error.category if isinstance(error, OsirisError) else ErrorCategory.UNREACHABLE
            if self.appends and category in (ErrorCategory.UNREACHABLE, ErrorCategory.TIMEOUT, *lost):
                raise unknown_outcome(self.shown, journalled=self.kept) from error
            raise

    @abstractmethod
    def _make(self) -> bool:
        """Make the table when it is missing. False where that is not allowed."""

    @abstractmethod
    def _holds(self) -> bool:
        """Whether the entry is there; waits for whoever is writing it at this moment."""

    @abstractmethod
    def _add(self) -> bool:
        """Add the entry. False where that is not allowed; raises WrittenBefore when it is there."""

    def _unreadable(self) -> ConfigurationError:
        name = self.step.step_id
        error = ConfigurationError(
            f"{self.step.in_doubt_since} may or may not have added its rows to {self.shown}, and the journal that "
            f"would tell (the table {TABLE} beside it) cannot be used any more.",
            hint=f"Look at the target, then resume with --done {name} (the rows are there) or --redo {name} "
            "(they are not).",
        )
        error.outcome_unknown = True
        return error


class FileJournal(Journal):
    """The journal in a database file that only one can write to at a time (SQLite, DuckDB).

    ``begin`` is called inside the transaction: there, tables are made in one with the rows.
    """

    def __init__(self, connection: Any, step: StepContext, entry: Entry, shown: str, *, appends: bool) -> None:
        """``connection``: what ``execute`` of it takes SQL with ``?`` and what that returns has ``fetchall``."""
        super().__init__(step, entry, shown, appends=appends)
        self.connection = connection

    def rows_appended(self) -> None:
        """Say that an upsert brought rows that would be there twice if the step were done again."""
        if not self.appends:
            self.appends = True
            self.kept = self._wanted() and self._make()

    def _make(self) -> bool:
        self.connection.execute(
            f"CREATE TABLE IF NOT EXISTS {quote_name(TABLE)} (run_id VARCHAR NOT NULL, step_id VARCHAR NOT NULL,"
            " target VARCHAR NOT NULL, written_at TIMESTAMP NOT NULL, PRIMARY KEY (run_id, step_id, target))"
        )
        return True

    def _holds(self) -> bool:
        query = f"SELECT 1 FROM {quote_name(TABLE)} WHERE run_id = ? AND step_id = ? AND target = ?"
        return bool(self.connection.execute(query, [*self.entry]).fetchall())

    def _add(self) -> bool:
        now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None, microsecond=0)
        old = now - datetime.timedelta(days=KEPT_DAYS)
        self.connection.execute(f"DELETE FROM {quote_name(TABLE)} WHERE written_at < ?", [old.isoformat(" ")])
        self.connection.execute(
            f"INSERT INTO {quote_name(TABLE)} VALUES (?, ?, ?, ?)", [*self.entry, now.isoformat(" ")]
        )
        return True
