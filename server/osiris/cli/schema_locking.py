"""``osiris discover --lock`` and ``--check``: the committed schema of the tables that the pipelines use."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from osiris.cli.arguments import shown_path
from osiris.cli.failures import DID_NOT_WORK, say_error, say_warning
from osiris.cli.streams import colour_wanted, paint, write_json
from osiris.language.project_file_names import LOCK_FILE

if TYPE_CHECKING:
    from osiris.cli.discovering import Found, Wanted
    from osiris.core.project import Project
    from osiris.core.schema_lock import Difference, SchemaLock
    from osiris.language.catalog import Catalog
    from osiris.language.connections import Connection, Connections

TableName = tuple[str | None, str]


@dataclass
class UsedTables:
    """The tables that the pipelines of a project name, by connection, with the pipelines that name them.

    ``read``: those that some step reads, so that they have to be there; ``written``: those that a step writes, with
    names in lower case.
    """

    tables: dict[str, dict[TableName, list[str]]] = field(default_factory=dict)
    read: set[tuple[str, TableName]] = field(default_factory=set)
    written: set[tuple[str, TableName]] = field(default_factory=set)

    def only(self, references: Iterable[str]) -> UsedTables:
        """The part of some connections."""
        wanted = set(references)
        tables = {name: tables for name, tables in self.tables.items() if name in wanted}
        return UsedTables(tables, self.read, self.written)


def used_by(project: Project) -> UsedTables:
    """What the pipelines of ``project`` use; one that cannot be read is a warning."""
    from osiris.cli.checking import readable_text
    from osiris.core.check import check_text

    used = UsedTables()
    for path in project.pipelines():
        text = readable_text(path)
        if not isinstance(text, str):
            say_warning(f"{shown_path(path)}: its tables are not known. {text.message}")
            continue
        for use in check_text(text, project, path).used_tables():
            reference = use.connection.reference
            key = (use.schema, use.table)
            pipelines = used.tables.setdefault(reference, {}).setdefault(key, [])
            if shown_path(path) not in pipelines:
                pipelines.append(shown_path(path))
            if use.written:
                used.written.add((reference, _in_lower_case(key)))
            else:
                used.read.add((reference, key))
    return used


def _in_lower_case(name: TableName) -> TableName:
    return name[0] and name[0].casefold(), name[1].casefold()


def write_lock(
    project: Project, connections: Connections, references: Sequence[str], wanted: Wanted, layout: str
) -> int:
    """Write osiris.schema.json from what the databases have, or with ``cached`` from what is known of them."""
    from osiris.core.files import write_if_changed
    from osiris.core.schema_lock import compare, make_lock

    used, before = used_by(project), _present_lock(project)
    if before is not None and before.newer:
        _require_usable(before)
    chosen = _chosen(connections, references, used.tables)
    found = _find(project, chosen, wanted, layout)
    failed = [one for one in found if not one.outcome.ok]
    if failed and not (wanted.cached and len(failed) < len(found)):
        return _not_written(found, layout)
    known = {one.outcome.connection: one.catalog for one in found if one.catalog is not None and one.outcome.ok}
    after = make_lock({name: list(tables) for name, tables in used.tables.items()}, known, before)
    path = project.root / LOCK_FILE
    nothing = not after.catalogs and before is None
    changed = not nothing and write_if_changed(path, after.text().encode())
    differences = compare(before, after) if before is not None else ()
    missing = _missing(used, known)
    tables = sum(len(catalog.tables) for catalog in after.catalogs.values())
    if layout == "json":
        write_json(
            {
                "path": str(path),
                "changed": changed,
                "tables": tables,
                "differences": [_difference(one) for one in differences],
                "missing": missing,
                "connections": [one.outcome.plain() for one in found],
            }
        )
        return 0
    for one in missing:
        say_warning(one["text"])
    _show_differences(differences)
    if nothing:
        click.echo("No pipeline names a table of a database that is known, so there is nothing to write.")
    else:
        _say_written(tables, len(after.catalogs), changed=changed)
    return 0


def _say_written(tables: int, connections: int, *, changed: bool) -> None:
    from osiris.cli.discovery_view import count

    holds = f"{count(tables, 'table')} of {count(connections, 'connection')}"
    click.echo(f"{LOCK_FILE} {'now holds' if changed else 'is up to date:'} {holds}.")


def check_lock(
    project: Project, connections: Connections, references: Sequence[str], wanted: Wanted, layout: str
) -> int:
    """Compare osiris.schema.json with the databases; 1 when they differ or cannot be compared."""
    from osiris.core.error_taxonomy import ConfigurationError
    from osiris.core.schema_lock import SchemaLock, compare, make_lock

    used, before = used_by(project), _present_lock(project)
    if before is None:
        if used.tables:
            raise ConfigurationError(
                f"There is no {LOCK_FILE} to compare with.", hint="Write it and commit it: osiris discover --lock"
            )
        _say_nothing_to_compare(layout)
        return 0
    _require_usable(before)
    chosen = _chosen(connections, references, [*used.tables, *before.catalogs])
    found = _find(project, chosen, wanted, layout)
    failed = [one.outcome.connection for one in found if not one.outcome.ok]
    known = {one.outcome.connection: one.catalog for one in found if one.catalog is not None and one.outcome.ok}
    locked = SchemaLock({name: catalog for name, catalog in before.catalogs.items() if name in known})
    present = make_lock(_looked_for(used.only(known), locked), known)
    differences = [one for one in compare(locked, present) if not _is_of_writer(one, used)]
    ok = not differences and not failed
    if layout == "json":
        write_json(
            {
                "path": str(project.root / LOCK_FILE),
                "ok": ok,
                "differences": [_difference(one) for one in differences],
                "connections": [one.outcome.plain() for one in found],
            }
        )
        _say_failures(found)
    else:
        _show_differences(differences)
        _say_checked(len(differences), len(known), failed)
    return 0 if ok else DID_NOT_WORK


def _require_usable(lock: SchemaLock) -> None:
    """Raise ConfigurationError for a file that something is wrong in."""
    from osiris.core.error_taxonomy import ConfigurationError

    if lock.newer:  # this version would only throw away what is in it
        raise ConfigurationError(
            f"{LOCK_FILE} cannot be used: a newer version of Osiris has written it.", hint="Update Osiris."
        )
    for problem in lock.diagnostics:
        raise ConfigurationError(
            f"{LOCK_FILE} cannot be used: {problem.message}", hint="osiris discover --lock mends it."
        )


def _say_nothing_to_compare(layout: str) -> None:
    if layout == "json":
        write_json({"path": None, "ok": True, "differences": [], "connections": []})
    else:
        click.echo(
            f"There is no {LOCK_FILE}, and no pipeline names a table of a database, so there is nothing to compare. "
            "When one does: osiris discover --lock makes the file."
        )


def _say_checked(differences: int, connections: int, failed: Sequence[str]) -> None:
    """``connections``: how many could be compared; ``failed``: the others."""
    from osiris.cli.discovery_view import count

    if differences:
        say_error(
            f"{LOCK_FILE} is not what the databases have: {count(differences, 'difference')}.",
            "When they are meant, write the file anew and commit it: osiris discover --lock",
        )
    elif connections or not failed:
        click.echo(f"{LOCK_FILE} is what {count(connections, 'connection')} {'has' if connections == 1 else 'have'}.")
    if failed:
        say_error(f"{LOCK_FILE} could not be compared with {', '.join(failed)}: see above.")


def _present_lock(project: Project) -> SchemaLock | None:
    from osiris.core.files import is_inside
    from osiris.core.schema_lock import parse_lock
    from osiris.core.source import read_source

    path = project.root / LOCK_FILE
    if not path.exists() or not is_inside(path, project.root):
        return None
    return parse_lock(read_source(path, shown=LOCK_FILE))


def _chosen(connections: Connections, references: Sequence[str], used: Iterable[str]) -> list[Connection]:
    """The connections to read: those that pipelines or the file use, of those that were named."""
    from osiris.cli.project_connections import chosen_connections
    from osiris.core.catalog_source import catalog_families

    wanted = set(used)
    return [
        connection
        for connection in chosen_connections(connections, references)
        if connection.reference in wanted and connection.family in catalog_families()
    ]


def _find(project: Project, chosen: list[Connection], wanted: Wanted, layout: str) -> list[Found]:
    from osiris.cli.discovering import find
    from osiris.cli.discovery_view import show_connection, widest

    if layout == "json":
        return find(project, chosen, wanted)
    width = widest([connection.reference for connection in chosen])
    return find(project, chosen, wanted, done=lambda one: show_connection(one, width))


def _not_written(found: Sequence[Found], layout: str) -> int:
    """Say why no file was written, and how one of the other connections would be."""
    if layout == "json":
        write_json({"ok": False, "connections": [one.outcome.plain() for one in found]})
        _say_failures(found)
    failed = [one.outcome.connection for one in found if not one.outcome.ok]
    others = [one.outcome.connection for one in found if one.outcome.ok]
    say_error(
        f"{LOCK_FILE} was not written, since {', '.join(failed)} could not be read: it is written whole or not at all.",
        f"To lock the others alone, name them; what the file holds of {failed[0]} stays: "
        f"osiris discover --lock {' '.join(others)}"
        if others
        else None,
    )
    return DID_NOT_WORK


def _say_failures(found: Sequence[Found]) -> None:
    """For people who look at a job whose JSON goes elsewhere."""
    for one in found:
        if one.outcome.problem is not None:
            say_error(f"{one.outcome.connection}: {one.outcome.problem.message}", one.outcome.problem.hint)


def _looked_for(used: UsedTables, locked: SchemaLock) -> dict[str, list[TableName]]:
    """The tables to compare: those that pipelines use, and those that the file has."""
    found: dict[str, list[TableName]] = {name: list(tables) for name, tables in used.tables.items()}
    for name, catalog in locked.catalogs.items():
        found.setdefault(name, []).extend(  # the default schema may have another name there
            (None if info.schema == catalog.default_schema else info.schema, info.name) for info in catalog.tables
        )
    return found


def _is_of_writer(difference: Difference, used: UsedTables) -> bool:
    """Whether a table came or went that pipelines only write: a run makes it."""
    if difference.kind not in ("table added", "table missing"):
        return False
    names = [
        name
        for name in used.tables.get(difference.connection, {})
        if difference.table.casefold() in (name[1].casefold(), f"{name[0]}.{name[1]}".casefold())
    ]
    return bool(names) and not any((difference.connection, name) in used.read for name in names)


def _missing(used: UsedTables, known: Mapping[str, Catalog]) -> list[dict[str, Any]]:
    """The tables that pipelines read and no pipeline writes, and that no database has, or only in another case."""
    found = []
    for reference, tables in sorted(used.tables.items()):
        catalog = known.get(reference)
        if catalog is None or not catalog.complete:
            continue
        for name, pipelines in tables.items():
            if (reference, name) in used.read and (reference, _in_lower_case(name)) not in used.written:
                text = _missing_text(catalog, name, pipelines)
                if text:
                    plain = ".".join(filter(None, name))
                    found.append({"connection": reference, "table": plain, "pipelines": pipelines, "text": text})
    return found


def _missing_text(catalog: Catalog, name: TableName, pipelines: Sequence[str]) -> str | None:
    """What is to be said of a table that pipelines read; None when it is there."""
    schema, table = name
    plain = ".".join(filter(None, name))
    there = catalog.find(table, schema)
    read = f"which {', '.join(pipelines)} {'reads' if len(pipelines) == 1 else 'read'}"
    if there is None and schema and not any(_in_lower_case((schema, ""))[0] == s.casefold() for s in catalog.schemas):
        return (
            f"{plain}, {read}, cannot be seen by this user of {catalog.reference}: "
            f"there is no schema {schema}, or no right to it."
        )
    if there is None:
        return f"{catalog.reference} has no table {plain}, {read}."
    if there.name != table and catalog.dialect == "mysql":
        return (
            f"{catalog.reference} has {there.name} in place of {plain}, {read}: "
            "on many servers the case of the letters counts."
        )
    return None


def _difference(one: Difference) -> dict[str, Any]:
    return {**one.plain(), "text": one.text}


def _show_differences(differences: Sequence[Difference]) -> None:
    """The differences by connection, marked as in a diff."""
    from osiris.cli.source_view import plain_line

    on = colour_wanted(sys.stdout)
    shown = ""
    for one in differences:
        if one.connection != shown:
            shown = one.connection
            click.echo(f"\n{paint(shown, 'strong', on=on)}")
        mark, style = {"added": ("+", "good"), "missing": ("-", "error")}.get(
            one.kind.rpartition(" ")[2], ("~", "warning")
        )
        click.echo(f"  {paint(mark, style, on=on)} {plain_line(one.text)}")
    if differences:
        click.echo()
