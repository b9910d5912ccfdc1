"""What has changed in the columns of a table since they were written into ``osiris.schema.json``."""

from __future__ import annotations

from osiris.language.catalog import Column, Columns


def column_changes(locked: Columns, now: Columns) -> tuple[str, ...]:
    """The differences that matter to a pipeline, each as a short clause, in the order of the columns.

    Comments and the order of the columns are no difference, nor is what one of the two readings does not know.
    """
    before = {column.name: column for column in locked}
    after = {column.name: column for column in now}
    changes = [f"`{name}` is gone" for name in before if name not in after]
    for name, column in after.items():
        changes += [f"`{name}` is new"] if name not in before else _changes(before[name], column)
    return tuple(changes)


def _changes(before: Column, after: Column) -> list[str]:
    name, found = f"`{after.name}`", []
    if before.type != after.type and before.type and after.type:
        found.append(f"{name} is `{after.type}`, it was `{before.type}`")
    if None not in (before.nullable, after.nullable) and before.nullable != after.nullable:
        found.append(f"{name} can be null now" if after.nullable else f"{name} is never null now")
    if before.primary_key != after.primary_key:
        found.append(f"{name} is now part of the primary key" if after.primary_key else f"{name} is no key any more")
    if before.values != after.values and before.values and after.values:
        found.append(f"{name} has other values")
    return found
