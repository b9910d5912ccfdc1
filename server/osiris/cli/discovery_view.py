"""How ``osiris discover`` looks to people."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from osiris.cli.source_view import plain_line
from osiris.cli.streams import colour_wanted, paint
from osiris.cli.table import print_table

if TYPE_CHECKING:
    from osiris.cli.discovering import Found
    from osiris.core.discovery_process import TableSample
    from osiris.language.catalog import Catalog, Column, Table

MOST_LISTED = 50
_MOST_VALUES = 6


def show_connection(found: Found, width: int) -> None:
    """One line: what was found, how long it took, in what; below it what a user should know. ``width``: of names."""
    from osiris.language.catalog import age_text

    outcome = found.outcome
    on = colour_wanted(sys.stdout)
    name = paint(outcome.connection.ljust(width), "strong", on=on)
    if outcome.problem is not None and not outcome.tables:
        click.echo(f"{name}  {paint('failed', 'error', on=on)}: {plain_line(outcome.problem.message)}")
    else:
        counted = f"{count(outcome.tables, 'table')}, {count(outcome.columns, 'column')}"
        when = f"as of {age_text(found.known.age())}" if found.kept and found.known else f"{outcome.seconds:.1f} s"
        product = plain_line(f"{outcome.product} {outcome.version}".strip())
        click.echo(f"{name}  {counted}, {when}" + (f"  {paint(product, 'faint', on=on)}" if product else ""))
        if outcome.problem is not None:
            click.echo(f"    {paint('incomplete', 'warning', on=on)}: {plain_line(outcome.problem.message)}")
    if outcome.problem is not None and outcome.problem.hint:
        click.echo(f"    {paint('hint:', 'hint', on=on)} {plain_line(outcome.problem.hint)}")
    for remark in outcome.remarks:
        show_remark(remark)


def show_remark(remark: str) -> None:
    """What a user should know besides, below the line of its connection."""
    click.echo(f"    {paint('note:', 'hint', on=colour_wanted(sys.stdout))} {plain_line(remark)}")


def show_tables(catalog: Catalog) -> None:
    """The tables of one connection, the first of very many."""
    rows = []
    for info in catalog.tables[:MOST_LISTED]:
        columns = catalog.columns(info)
        rows.append(
            [
                named(info.schema, info.name, catalog),
                info.kind,
                "not readable" if columns is None else count(len(columns), "column"),
                "" if info.rows is None else f"about {count(info.rows, 'row')}",
                info.comment,
            ]
        )
    if rows:
        click.echo()
        _print_filled(["TABLE", "KIND", "COLUMNS", "ROWS", "COMMENT"], rows)
    if len(catalog.tables) > MOST_LISTED:
        click.echo(f"... and {len(catalog.tables) - MOST_LISTED:,} more. Columns of one: --table NAME")


def show_columns(table: Table, catalog: Catalog) -> None:
    """One table with the types and keys of its columns."""
    info = table.info
    rows = f", about {count(info.rows, 'row')}" if info.rows is not None else ""
    comment = f": {info.comment}" if info.comment else ""
    on = colour_wanted(sys.stdout)
    title = paint(plain_line(named(info.schema, info.name, catalog)), "strong", on=on)
    click.echo(f"\n{title} ({info.kind}{rows}){plain_line(comment)}")
    if table.columns is None:
        click.echo("Its columns cannot be read: it is broken, or this user has no right to it.")
        return
    _print_filled(
        ["COLUMN", "TYPE", "ARROW TYPE", "NULL", "KEY", "COMMENT"],
        [
            [c.name, _type(c), c.arrow, {None: "", True: "yes", False: "no"}[c.nullable], _key(c, table), c.comment]
            for c in table.columns
        ],
    )


def show_sample(sample: TableSample, catalog: Catalog | None) -> None:
    """The first rows of one table."""
    name = named(sample.schema, sample.table, catalog)
    click.echo(f"\n{paint(plain_line(name), 'strong', on=colour_wanted(sys.stdout))}")
    if sample.problem:
        click.echo(f"Its rows cannot be read: {plain_line(sample.problem)}")
    elif not sample.rows:
        click.echo("It has no rows.")
    else:
        print_table(sample.columns, [[_cell(value) for value in row] for row in sample.rows])


def named(schema: str, table: str, catalog: Catalog | None) -> str:
    """A table's name as it is asked for: with its schema when that is not the default one."""
    return f"{schema}.{table}" if schema and (catalog is None or schema != catalog.default_schema) else table


def count(number: int, what: str) -> str:
    """``1 table``, ``5,000 tables``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _print_filled(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table without the columns that say nothing in any row."""
    filled = [at for at in range(len(head)) if any(row[at] for row in rows)]
    print_table([head[at] for at in filled], [[row[at] for at in filled] for row in rows])


def _cell(value: object) -> str:
    return "NULL" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _type(column: Column) -> str:
    if len(column.values) <= _MOST_VALUES:
        return column.type
    return f"{column.type.partition('(')[0]} of {len(column.values)} values"


def _key(column: Column, table: Table) -> str:
    words: list[str] = []
    if column.primary_key:
        several = sum(bool(other.primary_key) for other in table.columns or ()) > 1
        words.append(f"primary {column.primary_key}" if several else "primary")
    if column.unique:
        words.append("unique")
    if column.references:
        words.append(f"-> {column.references}")
    if column.generated:
        words.append("generated")
    return ", ".join(words)


def widest(names: Sequence[str]) -> int:
    """The width that all of ``names`` fit in."""
    return max((len(name) for name in names), default=0)
