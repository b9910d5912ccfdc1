"""The shape of SQL, from its tokens alone: one statement that returns rows, over the tables of the steps before it."""

from __future__ import annotations

from collections.abc import Iterator

from osiris.language.facts import UnknownTable
from osiris.language.findings import finding, replacement
from osiris.language.graph import AUTOMATIC_TABLES
from osiris.language.model import Step
from osiris.language.naming import table_name
from osiris.language.rules.context import DocumentContext, StepContext
from osiris.language.rules.dataflow import wire
from osiris.language.rules.sql_tables import TableUse, tables_in, word_set
from osiris.language.suggest import listing, nearest
from osiris.syntax.diagnostic import Diagnostic, Related
from osiris.syntax.sql import SqlToken
from osiris.syntax.text import Span
from osiris.syntax.tree import Scalar

ROW_STATEMENTS = ("SELECT", "WITH", "FROM", "VALUES", "TABLE", "PIVOT", "UNPIVOT", "DESCRIBE", "SUMMARIZE", "SHOW")
_OTHER_STATEMENTS = word_set(
    """
    ALTER ANALYZE ATTACH BEGIN CALL CHECKPOINT COMMENT COMMIT COPY CREATE DEALLOCATE DELETE DETACH DROP EXECUTE
    EXPLAIN EXPORT FORCE GRANT IMPORT INSERT INSTALL LOAD MERGE PRAGMA PREPARE RESET REVOKE ROLLBACK SET START
    TRUNCATE UPDATE USE VACUUM REPLACE
    """
)
_CHANGES = frozenset(("INSERT", "UPDATE", "DELETE", "MERGE"))
_OUTSIDE = word_set(
    """
    read_csv read_csv_auto sniff_csv read_parquet parquet_scan parquet_metadata parquet_schema
    parquet_file_metadata parquet_kv_metadata parquet_bloom_probe read_json read_json_auto read_json_objects
    read_json_objects_auto read_ndjson read_ndjson_auto read_ndjson_objects read_text read_blob read_xlsx
    read_avro read_duckdb st_read st_read_meta glob sqlite_scan sqlite_attach sqlite_query postgres_scan
    postgres_scan_pushdown postgres_attach postgres_query postgres_execute mysql_scan mysql_query mysql_execute
    iceberg_scan iceberg_metadata iceberg_snapshots delta_scan arrow_scan pandas_scan getenv which_secret
    duckdb_secrets
    """
)


def sql_shape(ctx: StepContext) -> Iterator[Diagnostic]:
    """Every SQL in the config: closed quotes, and for DuckDB the statement, what it reaches and its tables."""
    spec, config = ctx.spec, ctx.shape.config
    if spec is None or config is None or not spec.sql_keys:
        return
    for entry in config.entries:
        dialect = spec.sql_keys.get(entry.key.text)
        node = entry.value
        if dialect in (None, "graphql") or not isinstance(node, Scalar) or not isinstance(node.value, str):
            continue
        if not node.text or ("${" in node.text and _is_only_a_param(node.text)):
            continue
        yield from _Query(ctx, node, str(dialect)).check()


def _is_only_a_param(text: str) -> bool:
    stripped = text.strip()
    return stripped.startswith("${") and stripped.find("}") == len(stripped) - 1


class _Query:
    """One SQL text and its tokens, comments left out."""

    def __init__(self, ctx: StepContext, scalar: Scalar, dialect: str) -> None:
        self.ctx = ctx
        self.scalar = scalar
        self.dialect = dialect
        self.all = ctx.sql(scalar, dialect)
        self.tokens = [token for token in self.all if token.kind != "comment"]

    def place(self, span: Span) -> Span:
        return self.ctx.source(self.scalar, *span)

    def check(self) -> Iterator[Diagnostic]:
        for token in self.all:
            if token.kind == "error":
                what = {"comment": "comment", "quoted_identifier": "quoted name"}.get(str(token.unclosed), "quote")
                start = Span(token.span.start, min(token.span.start + 2, token.span.end))
                yield finding("OML408", self.place(start), f"This {what} is opened here and never closed.")
                return
        if all(token.kind == "semicolon" for token in self.tokens):
            what = "only a comment" if self.all else "nothing"
            yield finding("OML401", self.scalar.span, f"The query holds {what}. Write a SELECT.")
            return
        if self.dialect == "duckdb":
            yield from self.statement()

    def statement(self) -> Iterator[Diagnostic]:
        end = next((i for i, token in enumerate(self.tokens) if token.kind == "semicolon"), len(self.tokens))
        after = next((token for token in self.tokens[end:] if token.kind != "semicolon"), None)
        first = next((token for token in self.tokens if not (token.kind == "operator" and token.text == "(")), None)
        refused = first is not None and (found := self.refused(first)) is not None
        if refused and found is not None:
            yield found
        elif after is not None:
            message = "A query is one statement, and a second one starts here. Put it into a step of its own."
            yield finding("OML402", self.place(after.span), message)
        else:
            yield from self.outside()
            yield from self.tables()

    def refused(self, first: SqlToken) -> Diagnostic | None:
        """The finding when the statement does not return rows."""
        word = first.text.upper()
        if first.kind == "placeholder" or word in ROW_STATEMENTS or word == "DESC":
            return self.changes() if word == "WITH" else None
        place = self.place(first.span)
        if first.kind == "word" and word in _OTHER_STATEMENTS:
            why = _INSTEAD.get(word, "A query only returns rows.")
            return finding("OML403", place, f"{word} returns no rows of a query and is not allowed here. {why}")
        near = nearest(word, ROW_STATEMENTS) if first.kind == "word" else None
        hint = f"Did you mean {near}?" if near else "It starts with SELECT, WITH, FROM, VALUES or the like."
        fix = (
            replacement(f"Replace by {near}", place, near, preferred=True)
            if near and not self.scalar.synthetic
            else None
        )
        shown = first.text if len(first.text) <= 30 else first.text[:27] + "..."
        return finding("OML403", place, f"No query starts with `{shown}`. {hint}", fix)

    def changes(self) -> Diagnostic | None:
        depth, before = 0, ""
        for token in self.tokens:
            if token.kind == "operator" and token.text in "()":
                depth += 1 if token.text == "(" else -1
            elif depth == 0 and token.kind == "word" and before == ")":
                word = token.text.upper()
                if word in _CHANGES:
                    message = f"{word} changes tables and returns no rows. {_INSTEAD['INSERT']}"
                    return finding("OML403", self.place(token.span), message)
            before = token.text
        return None

    def outside(self) -> Iterator[Diagnostic]:
        """Functions that read files, other databases or the environment."""
        for position, token in enumerate(self.tokens[:-1]):
            following = self.tokens[position + 1]
            if following.text != "(" or token.name is None:
                continue
            name = token.name.lower()
            if name in _OUTSIDE and not (name == "glob" and not self.after_from(position)):
                message = (
                    f"`{name}` reaches outside the pipeline, and SQL sees the tables of the steps before it only. "
                    "Read files with a step such as `filesystem.csv_extractor`."
                )
                yield finding("OML404", self.place(token.span), message)

    def after_from(self, position: int) -> bool:
        before = self.tokens[position - 1].text.upper() if position else ""
        return before in ("FROM", "JOIN", ",")

    def tables(self) -> Iterator[Diagnostic]:
        known = {name.lower(): name for name in self.ctx.tables}
        for use in tables_in(self.scalar.text, self.dialect):
            if use.schema is not None:
                continue
            if use.is_file:
                message = (
                    f"`{use.name}` would be read as a file, and SQL sees the tables of the steps before it only. Read "
                    "it with a step such as `filesystem.csv_extractor`."
                )
                yield finding("OML404", self.place(use.span), message)
            elif self.ctx.complete and self.ctx.tables and use.name.lower() not in known:
                yield from self.unknown(use, known)

    def unknown(self, use: TableUse, known: dict[str, str]) -> Iterator[Diagnostic]:
        name = use.name.lower()
        names = list(known.values())
        if name in AUTOMATIC_TABLES:
            if self.ctx.sources == 1:
                return
            message = (
                f"`{use.name}` exists when one step hands data to this one; here it is {listing(names)}. Say which."
            )
            fixes = [replacement(f"Replace by `{table}`", self.place(use.span), table) for table in names[:5]]
            yield finding("OML406", self.place(use.span), message, *(() if self.scalar.synthetic else fixes))
            return
        self.ctx.unknown_tables.append(UnknownTable(use.name, self.place(use.span), not self.scalar.synthetic))


def unknown_tables(ctx: DocumentContext) -> Iterator[Diagnostic]:
    """Tables in SQL that are no data of the step: misspelt, or of a step that it does not need."""
    sources: dict[str, Step] = {}
    for step, report in zip(ctx.pipeline.steps, ctx.reports, strict=True):
        if report.unknown_tables and not sources:
            sources = {table_name(s.id).lower(): s for s in reversed(ctx.pipeline.steps) if s.id}
        for unknown in report.unknown_tables:
            yield _unknown_table(ctx, step, unknown, sources)


def _unknown_table(ctx: DocumentContext, step: Step, unknown: UnknownTable, sources: dict[str, Step]) -> Diagnostic:
    name, span = unknown.name.lower(), step.place(unknown.span)
    known = {table.lower(): table for table in ctx.graph.data_inputs[step.index]}
    names = list(known.values())
    other = sources.get(name)
    if other is not None and other.index != step.index and ctx.graph.roles[other.index].yields:
        message = f"`{unknown.name}` is the data of `{other.id}`, which this step does not need. Add it to `needs`."
        related = [Related(other.anchor, f"`{other.id}` is this step.")]
        return finding("OML405", span, message, wire(ctx, step, other), related=related)
    near = nearest(name, known) or (f"df_{name}" if f"df_{name}" in known else None)
    better = known.get(near or "", names[0] if len(names) == 1 else "")
    hint = f"Did you mean `{better}`?" if near else f"The tables here are {listing(names)}."
    fix = (
        replacement(f"Replace by `{better}`", span, better, preferred=bool(near))
        if better and unknown.editable
        else None
    )
    return finding("OML405", span, f"There is no table `{unknown.name}`. {hint}", fix)


_INSTEAD = {
    "INSERT": "Return the rows with SELECT, and let a writer step store them.",
    "UPDATE": "Return the changed rows with SELECT, and let a writer step store them.",
    "DELETE": "Return the rows to keep with SELECT ... WHERE.",
    "MERGE": "Return the rows with SELECT, and let a writer step store them.",
    "CREATE": "Its result is a table already: write the SELECT alone, and name it by the step's id.",
    "COPY": "Return the rows with SELECT, and write the file with a writer step.",
    "EXPORT": "Write files with a writer step.",
    "ATTACH": "Read another database with an extractor step.",
    "INSTALL": "Extensions cannot be loaded in a pipeline.",
    "LOAD": "Extensions cannot be loaded in a pipeline.",
    "PRAGMA": "Settings belong to the run, not to the pipeline.",
    "SET": "Settings belong to the run, not to the pipeline.",
    "CALL": "Use SELECT ... FROM.",
}
