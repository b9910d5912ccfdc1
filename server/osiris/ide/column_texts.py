"""What is said of tables and columns: in the details of suggestions, in hovers, in the schema view.

Names, types and comments come from a database, so they are shown as what they are: nothing in them is Markdown.
"""

from __future__ import annotations

import re

from osiris.language.catalog import Catalog, Column, SchemaKnowledge, Table, TableInfo, age_text

_LONGEST_DETAIL = 80  # code points of a type or comment beside a suggestion
_LONGEST_COMMENT = 500
_MOST_VALUES = 12
_MOST_COLUMNS = 30
_MARKUP = re.compile(r"([\\`*_{}\[\]()#+!<>|~&$-]|(?<=\d)\.)")
_TICKS = re.compile(r"`+")


def one_line(text: str, most: int) -> str:
    """``text`` on one line, printable, at most ``most`` code points long."""
    joined = " ".join(text[: most * 4].split())
    clean = "".join(c if c.isprintable() else "?" for c in joined)
    return clean if len(clean) <= most else clean[: most - 1].rstrip() + "…"


def as_code(text: str) -> str:
    """``text`` as inline code, whatever stands in it."""
    clean = one_line(text, _LONGEST_COMMENT)
    fence = "`" * (max((len(ticks) for ticks in _TICKS.findall(clean)), default=0) + 1)
    pad = " " if clean.startswith("`") or clean.endswith("`") else ""
    return f"{fence}{pad}{clean}{pad}{fence}" if clean else "` `"


def as_prose(text: str) -> str:
    """A comment as a paragraph of Markdown that shows it letter by letter."""
    return _MARKUP.sub(r"\\\1", one_line(text, _LONGEST_COMMENT))


def column_detail(column: Column) -> str:
    """Beside a suggestion: ``decimal(12,2) not null · primary key``."""
    return " · ".join(_facts(column))


def _facts(column: Column) -> list[str]:
    kind = one_line(column.type or column.arrow, _LONGEST_DETAIL)
    if column.nullable is False:
        kind = f"{kind} not null".lstrip()
    facts = [kind] if kind else []
    if column.primary_key:
        facts.append("primary key")
    elif column.unique:
        facts.append("unique")
    if column.references:
        facts.append(f"→ {one_line(column.references, _LONGEST_DETAIL)}")
    if column.generated:
        facts.append("generated")
    return facts


def table_detail(info: TableInfo) -> str:
    """Beside a suggestion: ``view · Orders that are paid``."""
    comment = one_line(info.comment, _LONGEST_DETAIL)
    return f"{info.kind} · {comment}" if comment else info.kind


def table_name(info: TableInfo, catalog: Catalog | None = None) -> str:
    """The name of a table, with its schema where that is another one than the default one of ``catalog``."""
    home = catalog.default_schema if catalog is not None else ""
    return f"{info.schema}.{info.name}" if info.schema and info.schema != home else info.name


def column_markdown(
    column: Column, table: TableInfo, knowledge: SchemaKnowledge | None = None, catalog: Catalog | None = None
) -> str:
    """All that is known of a column, and how old that is. ``catalog`` is the reading of ``knowledge`` it is from."""
    head = f"**{as_code(column.name)}** · column of {as_code(table_name(table, catalog))}"
    lines = [head, ""]
    if column.type:
        lines.append(f"- Type: {as_code(column.type)}")
    if column.arrow:
        lines.append(f"- In the pipeline: {as_code(column.arrow)}")
    if column.nullable is not None:
        lines.append("- It can be null." if column.nullable else "- It is never null.")
    if column.primary_key:
        lines.append("- Primary key" + (f", column {column.primary_key}" if column.primary_key > 1 else ""))
    elif column.unique:
        lines.append("- Unique")
    if column.references:
        lines.append(f"- References {as_code(column.references)}")
    if column.generated:
        lines.append("- Generated: the database computes it.")
    if column.values:
        shown = ", ".join(as_code(value) for value in column.values[:_MOST_VALUES])
        rest = len(column.values) - _MOST_VALUES
        lines.append(f"- Values: {shown}" + (f" and {rest} more" if rest > 0 else ""))
    if column.comment:
        lines += ["", as_prose(column.comment)]
    return _with_source(lines, table, knowledge, catalog)


def table_markdown(table: Table, knowledge: SchemaKnowledge | None = None, catalog: Catalog | None = None) -> str:
    """A table with its first columns, and how old the knowledge is."""
    info = table.info
    lines = [f"**{as_code(table_name(info, catalog))}** · {info.kind}" + _of(catalog), ""]
    if info.comment:
        lines += [as_prose(info.comment), ""]
    if info.rows is not None:
        lines += [f"About {info.rows:,} rows".replace(",", " ") if info.rows != 1 else "About 1 row", ""]
    if table.columns is None:
        lines.append("Its columns are not known.")
    for column in (table.columns or ())[:_MOST_COLUMNS]:
        facts = _facts(column)
        kind = f" {as_code(facts[0])}" if facts else ""
        rest = "".join(f" · {as_prose(fact)}" for fact in facts[1:])
        lines.append(f"- {as_code(column.name)}{kind}{rest}")
    more = len(table.columns or ()) - _MOST_COLUMNS
    if more > 0:
        lines += ["", f"and {more} more column{'' if more == 1 else 's'}"]
    return _with_source(lines, info, knowledge, catalog)


def _of(catalog: Catalog | None) -> str:
    return f" of `{catalog.reference}`" if catalog is not None and catalog.reference else ""


def _with_source(lines: list[str], info: TableInfo, knowledge: SchemaKnowledge | None, catalog: Catalog | None) -> str:
    if knowledge is not None:
        lines += ["", f"*{source_text(knowledge, catalog, info)}*"]
    return "\n".join(lines).strip()


def source_text(knowledge: SchemaKnowledge, catalog: Catalog | None, info: TableInfo | None = None) -> str:
    """Where the knowledge is from and how old it is, as one sentence."""
    if catalog is not None and catalog is knowledge.locked:
        return "From osiris.schema.json."
    written = " A run of this project has written to the table since." if info is not None and info.written else ""
    changed = " The file of the database has changed since." if knowledge.has_changed and not written else ""
    return f"Read {age_text(knowledge.age())}.{written}{changed}"


def knowledge_text(knowledge: SchemaKnowledge) -> str:
    """How much is known of a database, and since when: ``12 tables, read 5 minutes ago``."""
    parts = []
    if knowledge.discovered is not None:
        rest = "" if knowledge.discovered.complete else ", not all of them"
        parts.append(f"{_count(knowledge.discovered)}, read {age_text(knowledge.age())}{rest}")
    if knowledge.locked is not None:
        parts.append(f"{_count(knowledge.locked)} in osiris.schema.json")
    return "; ".join(parts)


def _count(catalog: Catalog) -> str:
    count = len(catalog.tables)
    return f"{count} table{'' if count == 1 else 's'}"
