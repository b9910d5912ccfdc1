"""The columns that flow from step to step, and names that are none of them: in SQL over the data of other steps, and
in config keys that name columns of the data that a step gets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from osiris.components.spec import ComponentSpec
from osiris.language.catalog import age_of, age_text
from osiris.language.facts import ColumnsGiven
from osiris.language.findings import finding
from osiris.language.model import Step
from osiris.language.rules.config_names import config_names
from osiris.language.rules.context import DocumentContext
from osiris.language.rules.nodes import cut
from osiris.language.rules.sql_word import SqlWord
from osiris.language.rules.told_columns import told_columns
from osiris.language.substitution import resolve_config
from osiris.language.suggest import listing, nearest
from osiris.syntax.block import SourceMap
from osiris.syntax.diagnostic import Diagnostic, Related, Severity
from osiris.syntax.tree import Scalar

if TYPE_CHECKING:  # who only starts the editor's server, or has no SQL, reads none
    from osiris.language.sql_binding.bind import Missing
    from osiris.language.sql_binding.shape import Shape

_TEXT_FILE_KEY = "delimiter"
_COLUMNS_KEY = "columns"
_WRONG_NAMES = ("OML410", "OML411")


@dataclass(frozen=True, slots=True)
class StepData:
    """The columns of a step's result. ``origin`` says what they are, ``rests_on`` what that comes from: tables of a
    database and paths of files."""

    columns: Shape
    origin: str
    rests_on: tuple[ColumnsGiven | str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """What was found out about a step that gets ``inputs``; ``data`` is what it hands on."""

    inputs: tuple[StepData | None, ...]
    data: StepData | None
    missing: tuple[Missing, ...] = ()


def unknown_columns(ctx: DocumentContext) -> Iterator[Diagnostic]:
    """Names of columns that the data of the steps before certainly does not have."""
    return _Flow(ctx).findings()


class _Flow:
    def __init__(self, ctx: DocumentContext) -> None:
        self.ctx = ctx
        self.steps = ctx.pipeline.steps
        self.data: dict[int, StepData | None] = {}
        self.keys: dict[str, str | None] = {}
        self.written: set[str] | None = None

    def findings(self) -> Iterator[Diagnostic]:
        """Step by step in the order of the data, so that what a step gets is known before it."""
        graph, specs = self.ctx.graph, self.ctx.specs
        for index in graph.order:
            spec, sources = specs[index], graph.data[index]
            if spec is None or not sources or not graph.complete[index]:
                continue
            key = self.sql_key(spec)
            if key is not None:
                kept = self.query(index, sources, key)
                self.data[index] = kept.data
                if kept.missing:
                    yield from self.of_query(self.steps[index], key, kept)
            elif spec.input_column_keys and len(sources) == 1:
                data = self.of(sources[0])
                if data is not None:
                    yield from self.of_config(self.steps[index], spec, sources[0], data)

    def sql_key(self, spec: ComponentSpec) -> str | None:
        """The key of the SQL over the data that a step gets."""
        if spec.name not in self.keys:
            keys = [key for key, dialect in spec.sql_keys.items() if dialect == "duckdb"]
            over_data = spec.consumes_data and not spec.takes_connection and len(keys) == len(spec.sql_keys) == 1
            self.keys[spec.name] = keys[0] if over_data else None
        return self.keys[spec.name]

    # -- what is known of the data

    def of(self, index: int) -> StepData | None:
        """The columns of a step's result: those of a query have been found out before, those of a reader are now."""
        if index not in self.data:
            self.data[index] = self.read(index)
        return self.data[index]

    def read(self, index: int) -> StepData | None:
        spec, report = self.ctx.specs[index], self.ctx.reports[index]
        if spec is None or spec.consumes_data or not spec.yields_data:
            return None
        if report.missing_tables or any(found.code in _WRONG_NAMES for found in report.diagnostics):
            return None  # what is wrong here would be told again by each step behind
        found = self.database(report.gives) if report.gives is not None else self.file(index, spec)
        if found is None:
            return None
        if not report.memo or report.memo[0] != found:
            report.memo[:] = [found]
        memo = report.memo[0]  # the same object is quickly seen to be the same by the steps behind
        return memo if isinstance(memo, StepData) else found

    def database(self, given: ColumnsGiven) -> StepData | None:
        from osiris.language.sql_binding.shape import shape_of

        if any(self.ctx.makes(named) for named in given.tables):
            return None
        origin = "the result of its query"
        if given.whole:
            origin = f"the table `{cut(given.tables[0].table)}` of `{given.tables[0].connection.reference}`"
        return StepData(shape_of(given.columns), origin, (given,))

    def file(self, index: int, spec: ComponentSpec) -> StepData | None:
        """The columns of a text file by its first line as it is now."""
        from osiris.language.sql_binding.shape import shape_of

        step, report = self.steps[index], self.ctx.reports[index]
        use = next((use for use in report.paths if use.is_input and use.known and use.whole), None)
        if use is None or _TEXT_FILE_KEY not in spec.properties:
            return None
        if self.written is None:
            self.written = {use.path for one in self.ctx.reports for use in one.paths if not use.is_input}
        if use.path in self.written or (use.pattern and self.written):
            return None
        resolved = resolve_config(step.shape.config, spec, self.ctx.values.plain())
        if resolved.open:
            return None
        table = self.ctx.env.file_table(use.path, resolved.config)
        if table is None or table.columns is None:
            return None
        names = [column.name for column in table.columns]
        wanted = resolved.config.get(_COLUMNS_KEY)
        if isinstance(wanted, list) and wanted:
            names = [name for name in wanted if isinstance(name, str)]
            if any(table.column(name) is None for name in names):
                return None
        return StepData(shape_of(names), f"the file `{cut(use.path)}`", (use.path,))

    def doubts(self, known: Iterable[StepData | None]) -> tuple[str, ...]:
        """Why what is known is not certain."""
        found: list[str] = []
        for source in dict.fromkeys(one for data in known if data is not None for one in data.rests_on):
            if isinstance(source, str):
                writers = self.ctx.env.pipelines_writing_file(source)
                found += [_other_writers(source, writers)] if writers else []
                continue
            found += [source.doubt] if source.doubt else []
            for named in source.tables:
                writers = self.ctx.env.pipelines_writing(named.connection, named.schema, named.table)
                found += [_other_writers(named.table, writers)] if writers else []
        return tuple(dict.fromkeys(found))

    # -- SQL

    def query(self, index: int, sources: tuple[int, ...], key: str) -> _Kept:
        """Bind the query of a step: what is missing, and what the steps behind it get."""
        inputs = tuple([self.of(up) for up in sources])
        memo = self.ctx.reports[index].memo
        if memo and isinstance(kept := memo[0], _Kept) and kept.inputs == inputs:
            return kept
        config = self.steps[index].shape.config
        node = config.get(key) if config is not None else None
        kept = _Kept(inputs, None)
        if isinstance(node, Scalar) and node.text:
            from osiris.language.sql_binding.bind import bind

            tables = self.ctx.graph.tables(index).items()
            known = {name.casefold(): data.columns if (data := self.of(up)) else None for name, up in tables}
            bound = bind(node.text, tuple(known.items()))
            rests_on = tuple(dict.fromkeys(one for data in inputs if data is not None for one in data.rests_on))
            given = bound.columns if not bound.missing else None  # what is wrong here is told here alone
            data = StepData(given, "the result of its query", rests_on) if given is not None else None
            kept = _Kept(inputs, data, bound.missing)
        memo[:] = [kept]
        return kept

    def of_query(self, step: Step, key: str, kept: _Kept) -> Iterator[Diagnostic]:
        """The findings about the names that mean nothing."""
        node = step.config.get(key) if step.config is not None else None
        if not isinstance(node, Scalar):
            return
        doubts = self.doubts(kept.inputs)
        as_of = _as_of(kept.inputs)
        inputs = {name.casefold(): up for name, up in self.ctx.graph.tables(step.index).items()}
        places = None if node.synthetic else SourceMap(node, step.shape.part.text)
        for missing in kept.missing:
            span = node.span if places is None else places.span(*missing.name.span)
            word = SqlWord(missing.name.text, step.place(span), node, '"' if missing.name.quoted else "", "duckdb")
            yield self.missing(word, missing, inputs, doubts, as_of)

    def missing(
        self,
        word: SqlWord,
        missing: Missing,
        inputs: dict[str, int],
        doubts: tuple[str, ...],
        as_of: str,
    ) -> Diagnostic:
        """The finding about a name that means nothing."""
        name, related = f"`{cut(word.text)}`", list[Related]()
        if not missing.places:
            near = nearest(word.text, missing.tables)
            hint = f"Did you mean `{near}`?" if near else f"The tables here are {listing(missing.tables)}."
            message = f"There is no table or column {name} here. {hint}"
        else:
            names = tuple(dict.fromkeys(column for place in missing.places for column in place.columns))
            has = "They have" if len({place.called for place in missing.places}) > 1 else "It has"
            near, known = told_columns(word.text, names, of_file=_of_files(self.data.values()), has=has)
            message = f"{self.where(missing, name, inputs)} {known}"
            related = [
                Related(self.steps[inputs[place.table]].anchor, f"`{self.steps[inputs[place.table]].id}` gives this.")
                for place in missing.places
                if place.table in inputs
            ]
        fix = word.written(near, preferred=not doubts) if near else None
        severity = Severity.HINT if doubts else None
        message += _unsure(doubts) or (as_of if missing.places else "")
        return finding("OML411", word.span, message, fix, related=related, severity=severity)

    def where(self, missing: Missing, name: str, inputs: dict[str, int]) -> str:
        """Where the name was looked for."""
        called = tuple(dict.fromkeys(place.called for place in missing.places))
        if len(called) > 1:
            return f"None of {listing(cut(one) for one in called if one)} has a column {name}."
        [place, *_] = missing.places
        shown = f"`{cut(place.called)}`" if place.called else "The query in parentheses"
        data = self.data.get(inputs[place.table]) if place.table in inputs else None
        if data is None:
            return f"{shown} has no column {name}."
        step = self.steps[inputs[place.table]]
        by = f", by the step `{cut(step.id)}`" if step.id and place.called.casefold() != place.table else ""
        return f"{shown} has no column {name}: it is {data.origin}{by}."

    # -- config

    def of_config(self, step: Step, spec: ComponentSpec, up: int, data: StepData) -> Iterator[Diagnostic]:
        """Columns that a config wants of the data."""
        config = step.shape.config
        if config is None or not any(config.get(key) is not None for key in spec.input_column_keys):
            return
        resolved = resolve_config(config, spec, self.ctx.values.plain())
        doubts: tuple[str, ...] | None = None
        for key in spec.input_column_keys:
            for name in config_names(config, resolved, key):
                if data.columns.may_have(name.text.casefold()):
                    continue
                names = tuple(data.columns)
                near, known = told_columns(name.text, names, of_file=_of_files([data]))
                doubts = self.doubts([data]) if doubts is None else doubts
                fix = name.written(near, preferred=not doubts) if near else None
                before = self.steps[up]
                message = (
                    f"The data of `{before.id}` has no column `{cut(name.text)}`: it is {data.origin}. "
                    f"{known}{_unsure(doubts) or _as_of([data])}"
                )
                severity = Severity.HINT if doubts else None
                related = (Related(before.anchor.shift(-step.base), f"`{before.id}` gives this."),)
                yield finding("OML411", name.span, message, fix, severity=severity, related=related).shift(step.base)


def _of_files(known: Iterable[StepData | None]) -> bool:
    return any(isinstance(source, str) for data in known if data is not None for source in data.rests_on)


def _unsure(doubts: tuple[str, ...]) -> str:
    return f" ({'. '.join(doubts)}.)" if doubts else ""


def _as_of(known: Iterable[StepData | None]) -> str:
    """When the tables were read that the columns come from, for whoever has changed them since; empty for none."""
    sources = [source for data in known if data is not None for source in data.rests_on]
    read = [(one.read_at, one.tables) for one in sources if isinstance(one, ColumnsGiven) and one.read_at is not None]
    if not read:
        return ""
    oldest = age_text(age_of(min(at for at, _ in read)))
    names = " ".join(dict.fromkeys(table.connection.reference for _, tables in read for table in tables))
    return f" (Read {oldest}; `osiris discover {names}` reads it anew.)"


def _other_writers(what: str, writers: Sequence[str]) -> str:
    verb = "writes" if len(writers) == 1 else "write"
    return f"{listing(writers, 3)} {verb} `{cut(what)}`, and may bring the column"
