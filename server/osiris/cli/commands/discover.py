"""``osiris discover``: read which tables and columns the databases of a project have."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from osiris.cli.arguments import format_option
from osiris.cli.failures import DID_NOT_WORK, UsageProblem
from osiris.cli.streams import write_json

if TYPE_CHECKING:
    from osiris.cli.discovering import Found, Wanted
    from osiris.core.project import Project
    from osiris.language.catalog import Table
    from osiris.language.connections import Connection, Connections


@click.command(epilog="What was read is kept in your own state folder, with its age; samples are only printed.")
@click.argument("references", nargs=-1, metavar="[@FAMILY.ALIAS]...")
@click.option("--table", "tables", multiple=True, metavar="TABLE", help="Read and show this table. May be repeated.")
@click.option("--samples", type=click.IntRange(1, 1000), metavar="N", help="Show the first N rows of tables as well.")
@click.option("--if-older", type=click.FloatRange(0), metavar="HOURS", help="Read only what was read longer ago.")
@click.option("--cached", is_flag=True, help="Connect to nothing: show what is known already.")
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 3600),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="How long the reading of one connection may take.",
)
@click.option("--only-agreed", is_flag=True, hidden=True, help="Connect only where the user let the editor do so.")
@click.option("--while-asked", is_flag=True, hidden=True, help="End when standard input does: nobody waits any more.")
@click.option("--lock", is_flag=True, help="Write osiris.schema.json: the tables that pipelines use, to commit.")
@click.option("--check", is_flag=True, help="Compare osiris.schema.json with the databases; exit 1 when they differ.")
@format_option("text", "json")
def command(
    references: tuple[str, ...],
    tables: tuple[str, ...],
    samples: int | None,
    if_older: float | None,
    cached: bool,
    timeout: float,
    only_agreed: bool,
    while_asked: bool,
    lock: bool,
    check: bool,
    layout: str,
) -> int:
    """Read which tables and columns databases and folders of files have, for the editor and the checks.

    All connections of the project, or those named. Nothing is ever written to them.

    \b
    osiris discover                             read everything anew
    osiris discover @mysql.shop                 and list its tables
    osiris discover @mysql.shop --table orders  and show the columns of one
    osiris discover --lock                      keep what pipelines use in osiris.schema.json
    osiris discover --check                     compare that file with the databases, as in CI
    """
    from osiris.cli.discovering import Wanted

    _must_fit(tables=tables, samples=samples, lock=lock, check=check, cached=cached)
    if while_asked:
        from osiris.cli.asker import end_with_the_asker

        end_with_the_asker()
    age = None if if_older is None else timedelta(hours=if_older)
    wanted = Wanted(tables, samples or 0, timeout, age, cached, only_agreed)
    project, connections = _project()
    if lock or check:
        from osiris.cli.schema_locking import check_lock, write_lock

        return (write_lock if lock else check_lock)(project, connections, references, wanted, layout)
    return _discover(project, _to_read(connections, references), wanted, layout, named=bool(references))


def _must_fit(*, tables: tuple[str, ...], samples: int | None, lock: bool, check: bool, cached: bool) -> None:
    if lock and check:
        raise UsageProblem("--lock writes osiris.schema.json, --check compares it: say one of the two.")
    if not all(name.strip() for name in tables):
        raise UsageProblem("--table wants the name of a table.")
    if (lock or check) and (tables or samples):
        raise UsageProblem("--lock and --check look at the tables that pipelines use: leave --table and --samples out.")
    if cached and samples:
        raise UsageProblem("Rows are never kept, so --samples has to connect: leave --cached out.")


def _project() -> tuple[Project, Connections]:
    from osiris.cli.project_connections import project_connections

    return project_connections()


def _to_read(connections: Connections, references: tuple[str, ...]) -> list[Connection]:
    """The connections that were named; else those of all families that can be discovered."""
    from osiris.cli.project_connections import chosen_connections
    from osiris.core.catalog_source import catalog_families

    chosen = chosen_connections(connections, references)
    return chosen if references else [one for one in chosen if one.family in catalog_families()]


def _discover(project: Project, chosen: list[Connection], wanted: Wanted, layout: str, *, named: bool) -> int:
    from osiris.cli.discovering import find
    from osiris.cli.discovery_view import show_connection, widest

    if wanted.tables and len(chosen) > 1:
        names = ", ".join(connection.reference for connection in chosen)
        raise UsageProblem(f"Say which connection the table belongs to: {names}.")
    if layout == "json":
        found = find(project, chosen, wanted)
        write_json([_as_data(one, wanted) for one in found])
    else:
        if not chosen:
            click.echo("osiris_connections.yaml names no connection that can be discovered.")
        width = widest([connection.reference for connection in chosen])
        found = find(project, chosen, wanted, done=lambda one: show_connection(one, width))
        for one in found:
            _show_more(one, wanted, listed=named and len(found) == 1)
    return DID_NOT_WORK if any(not one.outcome.ok for one in found) else 0


def _as_data(found: Found, wanted: Wanted) -> dict[str, Any]:
    """As JSON shows it: with the columns of the tables that were named."""
    from osiris.core.schema_lock import tables_plain

    plain = found.outcome.plain()
    if wanted.tables and found.catalog is not None and found.outcome.ok:
        plain["remarks"] += _other_case(found, wanted)
        plain["schema"] = tables_plain(found.catalog, _named_tables(found, wanted))
    return plain


def _named_tables(found: Found, wanted: Wanted) -> list[Table]:
    """The tables that were named, each once. Raises UsageProblem for one that is not there."""
    tables = {}
    for name in wanted.tables:
        table = found.catalog.table(name) if found.catalog is not None else None
        if table is None:
            raise UsageProblem(f"There is no table {name} in {found.outcome.connection}.")
        tables[table.info.schema, table.info.name] = table
    return list(tables.values())


def _other_case(found: Found, wanted: Wanted) -> list[str]:
    """What was found under a name that differs in case: on many servers that would be another table."""
    remarks = []
    for name in wanted.tables:
        info = found.catalog.find(name) if found.catalog is not None else None
        if info is not None and not f".{name}".endswith(f".{info.name}"):
            remarks.append(f"{name} was found as {info.name}.")
    return remarks


def _show_more(found: Found, wanted: Wanted, *, listed: bool) -> None:
    """What was asked for beyond the one line."""
    from osiris.cli.discovery_view import show_columns, show_remark, show_sample, show_tables

    if found.catalog is not None and found.outcome.ok:
        for remark in _other_case(found, wanted):
            show_remark(remark)
        for table in _named_tables(found, wanted):
            show_columns(table, found.catalog)
        if listed and not wanted.tables and not wanted.samples:
            show_tables(found.catalog)
    for sample in found.outcome.samples or ():
        show_sample(sample, found.catalog)
