"""The columns of a step's result, where the pipeline and what is known of its sources say them directly.

Nothing is connected to and no SQL is run: a reader of a table has the columns of that table, a reader of a file those
of its header, and a query those of its select list when every item of it can be read.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from osiris.language.catalog import Columns, SchemaKnowledge, Table, TableInfo
from osiris.language.sql_scope.columns import ColumnReader
from osiris.language.sql_scope.read import read_script
from osiris.language.sql_scope.tree import Script
from osiris.language.step_database import StepDatabase, file_of_step, step_database
from osiris.language.substitution import resolve_config
from osiris.syntax.sql import tokenize_typed
from osiris.syntax.tree import Plain, Scalar

if TYPE_CHECKING:
    from osiris.language.analysis import Analysis
    from osiris.language.environment import Environment

MOST_STEPS = 25
"""How many steps a chain of queries is followed."""


@dataclass(frozen=True, slots=True)
class StepColumns:
    """The columns of a step's result. ``table`` is the table or file that they come from as it is, if they do, and
    ``database`` the one that it stands in.
    """

    columns: Columns
    table: TableInfo | None = None
    database: StepDatabase | None = None
    knowledge: SchemaKnowledge | None = None


@dataclass(eq=False)
class _Known:
    """What is found out about the steps of one analysis. ``level``: how many steps are being read inside each other;
    ``cut``: the chain that is read now is too long to be followed to its start."""

    env: Environment
    version: Hashable
    steps: dict[int, StepColumns | None] = field(default_factory=dict)
    level: int = 0
    cut: bool = False


_KNOWN: WeakKeyDictionary[Analysis, _Known] = WeakKeyDictionary()


def step_columns(analysis: Analysis, env: Environment, index: int) -> StepColumns | None:
    """The columns of the result of the step at ``index``; None when they are not known."""
    known = _known(analysis, env)
    if index in known.steps:
        return known.steps[index]
    if known.level > MOST_STEPS:
        known.cut = True
        return None
    known.steps[index] = None  # a step in a circle does not know itself
    known.level += 1
    try:
        found = known.steps[index] = _read(analysis, env, index)
    finally:
        known.level -= 1
        if known.cut and not known.level:  # from another step on, the chain may be short enough
            known.cut = False
            known.steps = {step: columns for step, columns in known.steps.items() if columns is not None}
    return found


def _known(analysis: Analysis, env: Environment) -> _Known:
    known = _KNOWN.get(analysis)
    if known is not None and known.level:
        return known
    version = env.version
    if known is None or known.env is not env or known.version != version:
        known = _KNOWN[analysis] = _Known(env, version)
    return known


def _read(analysis: Analysis, env: Environment, index: int) -> StepColumns | None:
    spec = analysis.specs[index] if index < len(analysis.specs) else None
    step = analysis.pipeline.steps[index]
    if spec is None or step.config is None or step.mode == "write" or not spec.yields_data:
        return None
    for key, dialect in spec.sql_keys.items():
        node = step.config.get(key)
        if isinstance(node, Scalar) and node.text.strip():
            return _of_query(analysis, env, index, node.text, dialect)
    config = resolve_config(step.config, spec, analysis.values.plain()).config
    database = step_database(analysis, index, env)
    found = database.found() if database is not None else None
    if found is not None and database is not None:
        return _of_table(found[0], spec.column_keys, config, database)
    file = file_of_step(analysis, index, env)
    return _of_table(file, ("columns",), config) if file is not None else None


def _of_table(
    table: Table, keys: Iterable[str], config: dict[str, Plain], database: StepDatabase | None = None
) -> StepColumns | None:
    """The columns of a table or file, those alone that the step asks for under ``keys``."""
    columns = table.columns
    if columns is None:
        return None
    for key in keys:
        wanted = config.get(key)
        if isinstance(wanted, list) and wanted:
            found = [table.column(name) for name in wanted if isinstance(name, str)]
            columns = tuple(column for column in found if column is not None)
    return StepColumns(columns, table.info, database, database.knowledge if database is not None else None)


def _of_query(analysis: Analysis, env: Environment, index: int, text: str, dialect: str) -> StepColumns | None:
    script = _script(text, dialect)
    if len(script.statements) > 1 and any(query.selects for query in script.statements[1:]):
        return None
    reader = ColumnReader(QueryTables(analysis, env, index))
    columns = reader.of_query(script.statements[0], whole=True)
    return StepColumns(columns) if columns is not None else None


@lru_cache(maxsize=512)
def _script(text: str, dialect: str) -> Script:
    words = [token for token in tokenize_typed(text, dialect=dialect) if token.kind != "comment"]
    return read_script(words, len(text))


@dataclass(frozen=True, slots=True)
class QueryTable:
    """A table that a query may name: of the database of its step, or the data of another ``step``."""

    name: str
    info: TableInfo
    step: int | None = None


class QueryTables:
    """The tables that the query of a step may name. ``database`` is None for a query over the data of other steps."""

    def __init__(self, analysis: Analysis, env: Environment, index: int) -> None:
        self._analysis = analysis
        self._env = env
        spec = analysis.specs[index] if index < len(analysis.specs) else None
        self.over_steps = spec is not None and not spec.takes_connection
        self.database = None if self.over_steps else step_database(analysis, index, env)
        self.steps: dict[str, int] = {}
        if self.over_steps and index < len(analysis.graph.data):
            self.steps = analysis.graph.tables(index)
        self._by_name = {name.casefold(): step for name, step in self.steps.items()}

    @property
    def knowledge(self) -> SchemaKnowledge | None:
        """What is known of the database."""
        return self.database.knowledge if self.database is not None else None

    def step_of(self, name: str) -> int | None:
        """The step whose data a table is."""
        return self._by_name.get(name.casefold())

    def find(self, name: str, schema: str | None = None) -> Table | None:
        """The table of that name, its columns None when they are not known; None when there is no such table."""
        if self.over_steps:
            step = self.step_of(name) if schema is None else None
            if step is None:
                return None
            known = step_columns(self._analysis, self._env, step)
            origin = known.table if known is not None else None
            info = origin or TableInfo("", name)
            return Table(replace(info, name=name, schema=""), known.columns if known is not None else None)
        said = self._schema()
        wanted = [schema] if schema is not None or said is None else [said, None]
        return next((found for where in wanted if (found := self._in_database(name, where)) is not None), None)

    def _in_database(self, name: str, schema: str | None) -> Table | None:
        """The table as it was last read; as it is committed where that reading does not know its columns."""
        known = self.knowledge
        latest: Table | None = None
        for catalog in (known.discovered, known.locked) if known is not None else ():
            found = catalog.table(name, schema) if catalog is not None else None
            if found is not None and found.columns is not None:
                return found
            latest = latest or found
        return latest

    def origin(self, name: str, schema: str | None = None) -> TableInfo | None:
        """The table of a database that ``name`` is, or that the step behind it reads as it is."""
        step = self.step_of(name) if self.over_steps else None
        if step is not None:
            known = step_columns(self._analysis, self._env, step)
            return known.table if known is not None else None
        found = self.find(name, schema)
        return found.info if found is not None else None

    def columns_of(self, name: str, schema: str | None) -> Columns | None:
        """The columns of a table."""
        found = self.find(name, schema)
        return found.columns if found is not None else None

    def infos(self) -> list[TableInfo]:
        """All tables of the database, each once: those of the machine's own reading, and what the lock adds."""
        catalogs = self.knowledge.catalogs if self.knowledge is not None else ()
        if not catalogs:
            return []
        found = list(catalogs[-1].tables)
        for catalog in catalogs[:-1]:
            found += (info for info in catalog.tables if catalogs[-1].find(info.name, info.schema or None) is None)
        return found

    def home(self) -> str:
        """The schema in which tables are found without saying it."""
        said = self._schema()
        if said is not None:
            return said
        catalogs = self.knowledge.catalogs if self.knowledge is not None else ()
        return next((c.default_schema for c in reversed(catalogs)), "")

    def _schema(self) -> str | None:
        return self.database.schema if self.database is not None else None


def query_tables(analysis: Analysis, env: Environment, index: int) -> QueryTables:
    """The tables that the query of the step at ``index`` may name."""
    return QueryTables(analysis, env, index)
