"""Names from the database behind a step's connection: tables, schemas and columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from osiris.components.spec import ComponentSpec
from osiris.ide.column_texts import column_detail, table_detail, table_name
from osiris.ide.completion.insertion import in_quotes, literal
from osiris.ide.completion.ranking import best
from osiris.ide.completion.suggestion import Item, ItemKind, Place, Topic
from osiris.ide.cursor import Role
from osiris.ide.vocabulary import schema_at, types_of
from osiris.language.catalog import Catalog, Columns, SchemaKnowledge, Table, TableInfo
from osiris.language.step_database import StepDatabase, file_of_step, step_database
from osiris.syntax.tree import Scalar
from osiris.syntax.tree import Sequence as SequenceNode

# One more than are shown: so it is known that there are more.
_MOST = 301
_VIEWS = ("view", "materialized view", "file")


def names(place: Place) -> Iterable[Item]:
    """The names that may stand at the cursor, for keys that the component marks as holding names; else nothing."""
    cursor, spec = place.cursor, place.spec
    if spec is None or cursor.step is None or len(cursor.within) < 2 or "${" in cursor.text:
        return ()
    if not cursor.quote and cursor.text.startswith(("[", "{")):
        return ()  # at the edge of a whole list
    if cursor.step >= len(place.analysis.pipeline.steps):
        return ()
    key, *deeper = cursor.within[1:]
    if len(deeper) > 1 or any(isinstance(part, str) for part in deeper):
        return ()  # a map or a list where a name belongs
    if key in spec.column_keys:
        return _columns(place, *_of_table(place, spec))
    if key == "columns" and spec.table_key is None and not spec.consumes_data:
        return _columns(place, _of_file(place))
    if key not in (spec.table_key, spec.schema_key):
        return ()
    database = step_database(place.analysis, cursor.step, place.env)
    if database is None or database.knowledge is None:
        return ()
    if key == spec.schema_key:
        return _schemas(place, database.knowledge)
    return _tables(place, spec, database, database.knowledge)


# -- tables


def _tables(place: Place, spec: ComponentSpec, database: StepDatabase, knowledge: SchemaKnowledge) -> Iterator[Item]:
    found: dict[str, tuple[TableInfo, Catalog]] = {}
    for catalog in (knowledge.discovered, knowledge.locked):
        if catalog is None:
            continue
        for info in _in_reach(catalog, database.schema):
            # In a schema that the step says, the name alone is enough.
            name = info.name if database.schema is not None else table_name(info, catalog)
            found.setdefault(name, (info, catalog))
    labels = [name for name, (info, _) in found.items() if not (spec.consumes_data and info.kind in _VIEWS)]
    for label in best(labels, place.cursor.prefix, _MOST, str):
        info, catalog = found[label]
        topic = Topic(connection=database.connection.reference, table=(info.schema, info.name))
        yield _item(place, label, ItemKind.TABLE, table_detail(info), topic)


def _in_reach(catalog: Catalog, schema: str | None) -> Iterable[TableInfo]:
    """The tables of ``schema``; of the default one first, and then all others, when none is said."""
    if schema is not None:
        return (info for info in catalog.tables if info.schema.casefold() == schema.casefold())
    home = catalog.default_schema
    return sorted(catalog.tables, key=lambda info: info.schema != home)


def _schemas(place: Place, knowledge: SchemaKnowledge) -> Iterator[Item]:
    catalog = knowledge.discovered or knowledge.locked
    if catalog is None:
        return
    counts: dict[str, int] = {}
    for info in catalog.tables:
        counts[info.schema] = counts.get(info.schema, 0) + 1
    for name in catalog.schemas:
        if name:
            detail = f"{counts[name]} table{'' if counts[name] == 1 else 's'}"
            is_default = " · default" if name == catalog.default_schema else ""
            yield _item(place, name, ItemKind.SCHEMA, detail + is_default, None)


# -- columns


def _of_table(place: Place, spec: ComponentSpec) -> tuple[Columns, Topic | None]:
    """The columns of the step's table, and what documents them; for a table that is yet to be made, those of the data
    that comes in."""
    assert place.cursor.step is not None
    database = step_database(place.analysis, place.cursor.step, place.env)
    table = known_table(database) if database is not None else None
    if database is None or table is None or table.columns is None:
        return (_of_data(place), None) if spec.consumes_data else ((), None)
    topic = Topic(connection=database.connection.reference, table=(table.info.schema, table.info.name))
    if not spec.consumes_data:
        return table.columns, topic
    # What tells rows apart is most likely what does so in the table.
    return tuple(sorted(table.columns, key=lambda column: (not column.primary_key, not column.unique))), topic


def _of_data(place: Place) -> Columns:
    from osiris.sql.step_columns import step_columns

    assert place.cursor.step is not None
    sources = set(place.analysis.graph.data_inputs[place.cursor.step].values())
    found = step_columns(place.analysis, place.env, sources.pop()) if len(sources) == 1 else None
    return found.columns if found is not None else ()


def _of_file(place: Place) -> Columns:
    """The columns of the file that the step reads."""
    assert place.cursor.step is not None
    table = file_of_step(place.analysis, place.cursor.step, place.env)
    return (table.columns or ()) if table is not None else ()


def _columns(place: Place, columns: Columns, topic: Topic | None = None) -> Iterator[Item]:
    taken = _written(place)
    free = {column.name: column for column in columns if column.name.casefold() not in taken}
    for name in best(free, place.cursor.prefix, _MOST, str):
        about = replace(topic, column=name) if topic is not None else None
        yield _item(place, name, ItemKind.COLUMN, column_detail(free[name]), about)


def known_table(database: StepDatabase) -> Table | None:
    """The table of the step as it was last read, with its columns where any reading has them."""
    knowledge = database.knowledge
    if knowledge is None or database.table is None:
        return None
    latest: Table | None = None
    for catalog in (knowledge.discovered, knowledge.locked):
        found = catalog.table(database.table, database.schema) if catalog is not None else None
        if found is not None and found.columns is not None:
            return found
        latest = latest or found
    return latest


def _written(place: Place) -> set[str]:
    """The names that stand in the list already, but for the one at the cursor; without case."""
    cursor, analysis = place.cursor, place.analysis
    assert cursor.step is not None
    step = analysis.pipeline.steps[cursor.step]
    config = step.shape.config
    node = config.get(str(cursor.within[1])) if config is not None else None
    items = node.items if isinstance(node, SequenceNode) else ()
    here = cursor.token.shift(-step.base)
    return {
        item.text.casefold()
        for item in items
        if isinstance(item, Scalar) and item.text and not (item.span.start <= here.end and here.start <= item.span.end)
    }


def _item(place: Place, name: str, kind: ItemKind, detail: str, topic: Topic | None) -> Item:
    cursor = place.cursor
    if cursor.quote:
        text = in_quotes(name, cursor.quote)
    else:
        text = literal(name)
        wants_list = types_of(schema_at(cursor.path, place.spec) or {}) == ("array",)
        if wants_list and cursor.role is Role.VALUE and not cursor.flow:
            text = f"[{text}]"
    label = name if name.strip() and name.isprintable() else literal(name)
    return Item(label, kind, text, None, detail, name if label != name else None, topic=topic)
