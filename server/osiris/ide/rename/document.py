"""Rename of a step, a parameter or a profile: the name and everything in the document that says it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from osiris.ide.rename.check import Renamable, RenameRefused, check_meaning, spelled
from osiris.language.naming import file_name_problem, is_param_name, step_id_problem, table_name, variable_name
from osiris.language.sql_names import sql_names
from osiris.language.substitution import resolve_config
from osiris.language.symbols import Symbol, definition, occurrences, step_names, symbol_at
from osiris.syntax.diagnostic import TextEdit

if TYPE_CHECKING:
    from osiris.language.analysis import Analysis
    from osiris.language.environment import Environment
    from osiris.language.model import Step
    from osiris.syntax.tree import Plain

_CALLED = {"step": "step", "param": "parameter", "profile": "profile"}


def renamable(analysis: Analysis, offset: int) -> Renamable | None:
    """The name at ``offset`` (code points) and the thing that would be renamed; None where nothing is named.

    Raises RenameRefused for a name that cannot be renamed. For a connection see ``rename_connection``.
    """
    symbol = _named(analysis, offset)
    return Renamable(symbol.span, symbol.name) if symbol is not None else None


def rename(analysis: Analysis, env: Environment, offset: int, new_name: str) -> tuple[TextEdit, ...]:
    """The edits that rename the step, parameter or profile at ``offset`` (code points).

    After them the document has the same graph and no new errors or warnings. Raises RenameRefused when the name cannot
    be used, or when that cannot be promised.
    """
    symbol = _named(analysis, offset)
    if symbol is None:
        raise RenameRefused("There is nothing to rename here. Put the cursor on a name.")
    if new_name == symbol.name:
        return ()
    match symbol.kind:
        case "step":
            edits = _step(analysis, symbol, new_name)
        case "param":
            edits = _param(analysis, symbol, new_name)
        case _:
            edits = _profile(analysis, symbol, new_name)
    edits = tuple(sorted(dict.fromkeys(edits), key=lambda edit: edit.span))
    check_meaning(analysis, env, edits, {symbol.name: new_name} if symbol.kind == "param" else None)
    return edits


def _named(analysis: Analysis, offset: int) -> Symbol | None:
    """The symbol at a cursor, when it is the name of something that can be renamed."""
    symbol = symbol_at(analysis, offset)
    if symbol is None:
        return None
    if symbol.kind == "component":
        raise RenameRefused(
            f"`{symbol.name}` cannot be renamed: it is the name of an installed component. Write another one instead."
        )
    if symbol.synthetic:
        raise RenameRefused(f"`{symbol.name}` comes from somewhere else in the file. Rename it where it is written.")
    if symbol.spelling == "another":
        raise RenameRefused(
            f"`{symbol.written}` is no name of its own: it stands for the data of `{symbol.name}`. Rename that step."
        )
    if symbol.kind != "connection" and definition(analysis, symbol) is None:
        raise RenameRefused(
            f"There is no {_CALLED[symbol.kind]} `{symbol.name}` in this file, so there is nothing to rename."
        )
    return symbol


def _bad(message: str) -> RenameRefused:
    return RenameRefused(message, bad_name=True)


def _step(analysis: Analysis, symbol: Symbol, new: str) -> tuple[TextEdit, ...]:
    index = _index(analysis, symbol)
    if problem := step_id_problem(new):
        shown = f"`{new}`" if new else "The new id"
        raise _bad(f"{shown} {problem}. Ids name files: use letters, digits, `_`, `-` and `.`.")
    for step in analysis.pipeline.steps:
        if step.index != index and step.id is not None and step.id.lower() == new.lower():
            line = analysis.document.lines.line_of(step.anchor.start) + 1
            raise _bad(f"There is a step `{step.id}` already, in line {line}. (Capital letters make no difference.)")
    first = analysis.graph.by_id[symbol.name] == index
    own = analysis.pipeline.steps[index]
    edits: list[TextEdit] = []
    for place in occurrences(analysis, symbol):
        mine = first if not place.writes else own.span.start <= place.span.start <= own.span.end
        if not mine or place.synthetic:
            continue
        if place.spelling == "name":
            edits.append(TextEdit(place.span, spelled(new, place.style)))
        elif place.style is not None:  # the key in `inputs` of a table that is called like the step
            edits.append(TextEdit(place.span, spelled(table_name(new), place.style)))
    return (*edits, *_tables(analysis, index, symbol.name, new))


def _index(analysis: Analysis, symbol: Symbol) -> int:
    """The step that is meant: where two have the same id, the second one is meant only in itself."""
    if symbol.writes and not symbol.definition:
        for step in analysis.pipeline.steps:
            if step.id == symbol.name and step.span.start <= symbol.span.start <= step.span.end:
                return step.index
    return analysis.graph.by_id[symbol.name]


def _tables(analysis: Analysis, index: int, old_id: str, new_id: str) -> Iterator[TextEdit]:
    """The step's table in the SQL of the steps that get its data."""
    old, new = table_name(old_id), table_name(new_id)
    if old == new:
        return
    graph, steps = analysis.graph, analysis.pipeline.steps
    for consumer in steps:
        if index not in graph.data[consumer.index]:
            continue
        tables = {name.lower(): source for name, source in graph.tables(consumer.index).items()}
        if tables.get(old.lower()) != index:
            continue  # it sees the data under other names only
        where = f"`{consumer.id or consumer.index + 1}`"
        other = tables.get(new.lower(), index)
        if other != index:
            raise _bad(f"The step {where} would see two tables `{new}`: one more is that of `{steps[other].id}`.")
        for name in step_names(analysis, consumer.index).sql:
            if name.name.lower() == new.lower() != old.lower():
                raise _bad(f"The SQL of the step {where} uses the name `{new}` already, for something of its own.")
            if name.name.lower() != old.lower():
                continue
            if name.role == "other":
                line = analysis.document.lines.line_of(consumer.base + name.span.start) + 1
                raise RenameRefused(
                    f"The SQL of the step {where} also uses `{name.name}` as a name of its own, in line {line}. "
                    "Give that another name first, so that it is clear what to rename."
                )
            yield TextEdit(consumer.place(name.span), new.upper() if name.name.isupper() else new)
        if consumer.shape.param_names and _holds_param_table(analysis, consumer, old.lower()):
            raise RenameRefused(
                f"The SQL of the step {where} takes the name `{old}` from a parameter. Write the table itself there "
                "first: what a parameter stands for cannot be renamed."
            )


def _holds_param_table(analysis: Analysis, consumer: Step, table: str) -> bool:
    """Whether parameters bring the table into the SQL of a step, by default or in a profile."""
    spec, pipeline, plain = analysis.specs[consumer.index], analysis.pipeline, analysis.values.plain()
    if spec is None or consumer.config is None:
        return False
    written = sum(name.name.lower() == table for name in step_names(analysis, consumer.index).sql)
    profiles: list[dict[str, Plain]] = [{}]
    profiles += ({name: given.value for name, given in p.values.items()} for p in pipeline.profiles.values())
    for changed in profiles:
        config = resolve_config(consumer.config, spec, {**plain, **changed}).config
        queries = [config.get(key) for key, dialect in spec.sql_keys.items() if dialect == "duckdb"]
        names = [name.name.lower() for query in queries if isinstance(query, str) for name in sql_names(query)]
        if names.count(table) > written:
            return True
    return False


def _param(analysis: Analysis, symbol: Symbol, new: str) -> tuple[TextEdit, ...]:
    if not is_param_name(new):
        raise _bad(f"`{new}` is no name for a parameter: use a letter or `_`, then letters, digits, `_` and `-`.")
    if new.startswith("x-"):
        raise _bad(f"`{new}` cannot be the name of a parameter: keys that start with `x-` are notes.")
    for other in analysis.pipeline.params:
        if other == new:
            raise _bad(f"There is a parameter `{new}` already.")
        if other != symbol.name and variable_name(other) == variable_name(new):
            raise _bad(f"`{new}` and the parameter `{other}` would both be given by {variable_name(new)}.")
    return _everywhere(analysis, symbol, new)


def _profile(analysis: Analysis, symbol: Symbol, new: str) -> tuple[TextEdit, ...]:
    if problem := file_name_problem(new):
        shown = f"`{new}`" if new else "The new name"
        raise _bad(f"{shown} {problem}, so it cannot name the folder `build/<name>/<profile>/`.")
    if new.startswith("x-"):
        raise _bad(f"`{new}` cannot be the name of a profile: keys that start with `x-` are notes.")
    for other in analysis.pipeline.profiles:
        if other != symbol.name and other.lower() == new.lower():
            raise _bad(f"There is a profile `{other}` already. (Capital letters make no difference.)")
    return _everywhere(analysis, symbol, new)


def _everywhere(analysis: Analysis, symbol: Symbol, new: str) -> tuple[TextEdit, ...]:
    return tuple(
        TextEdit(place.span, spelled(new, place.style))
        for place in occurrences(analysis, symbol)
        if not place.synthetic
    )
