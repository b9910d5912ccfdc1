"""What has changed in a table since ``osiris.schema.json`` was written, as ``osiris discover --check`` sees it."""

from __future__ import annotations

from osiris.language.catalog import Column, Columns, Table


def table_changes(locked: Table, now: Table) -> tuple[str, ...]:
    """The differences as short clauses, in the order of the columns. Comments are none, nor are columns that one of
    the two readings does not know."""
    changes = []
    if locked.info.kind != now.info.kind:
        changes.append(f"it is a {now.info.kind}, it was a {locked.info.kind}")
    if locked.columns is not None and now.columns is not None:
        changes += _of_columns(locked.columns, now.columns)
    return tuple(changes)


def _of_columns(locked: Columns, now: Columns) -> list[str]:
    before = {column.name: column for column in locked}
    after = {column.name: column for column in now}
    changes = [f"`{name}` is gone" for name in before if name not in after]
    for name, column in after.items():
        changes += [f"`{name}` is new"] if name not in before else _of_column(before[name], column)
    if [name for name in before if name in after] != [name for name in after if name in before]:
        changes.append("the columns are in another order")
    return changes


def _of_column(before: Column, after: Column) -> list[str]:
    name, found = f"`{after.name}`", []
    if before.type != after.type:
        found.append(f"{name} is `{after.type}`, it was `{before.type}`")
    if before.nullable != after.nullable:
        found.append(f"{name} is never null now" if after.nullable is False else f"{name} can be null now")
    if before.primary_key != after.primary_key:
        found.append(f"the primary key has changed at {name}")
    if before.unique != after.unique:
        found.append(f"{name} is unique now" if after.unique else f"{name} is no longer unique")
    if before.references != after.references:
        found.append(
            f"{name} references `{after.references}`" if after.references else f"{name} references nothing now"
        )
    if before.generated != after.generated:
        found.append(f"{name} is generated now" if after.generated else f"{name} is no longer generated")
    if before.values != after.values:
        found.append(f"{name} has other values")
    return found
