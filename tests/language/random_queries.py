"""Queries made at random over ``TABLES`` of ``sql_shapes``: nearly all names in them are right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from random import Random

from tests.language.sql_shapes import TABLES

OTHERS = ("id", "amount", "name", "nothing", "rate", "a")
ALIASES = ("o", "c", "r", "s", "a", "amount", "df_orders", "id")


@dataclass(frozen=True)
class Table:
    """What stands in FROM, what it is called there, and its columns."""

    text: str
    name: str
    columns: tuple[str, ...]


class Maker:
    """Makes queries of up to three levels. ``slips`` is how often a name is one of any other place."""

    def __init__(self, random: Random, slips: float) -> None:
        self.random = random
        self.slips = slips
        self.ctes: list[Table] = []
        self.numbers = count()

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def query(self, depth: int = 3, outer: Sequence[Table] = ()) -> tuple[str, tuple[str, ...]]:
        """A query and its columns."""
        kept, head = list(self.ctes), ""
        if depth > 1 and self.chance(0.3):
            body, columns = self.query(depth - 1)
            name = self.random.choice(("t", "u", "df_rates"))
            renamed = ("x", *columns[1:]) if self.chance(0.3) else columns
            head = f"WITH {name}{'(x)' if renamed != columns else ''} AS ({body}) "
            self.ctes.append(Table(name, name, renamed))
        text, columns, seen = self.select(depth, outer)
        if self.chance(0.15):
            text += f" {self.random.choice(('UNION ALL', 'EXCEPT', 'INTERSECT'))} {text}"
            seen = [Table("", "", columns)]
        if self.chance(0.3) and columns:
            text += f" ORDER BY {self.name(seen) if self.chance(0.6) else quoted(self.random.choice(columns))}"
        self.ctes = kept
        return head + text, columns

    def select(self, depth: int, outer: Sequence[Table] = ()) -> tuple[str, tuple[str, ...], list[Table]]:
        """A SELECT, its columns, and the tables that it sees."""
        tables = [self.table(depth)]
        text = f" FROM {tables[0].text}"
        for _ in range(self.random.choice((0, 0, 1, 1, 2))):
            text += self.join(tables, depth)
        items, columns = list[str](), list[str]()
        for _ in range(self.random.randint(1, 3)):
            item, given = self.item(tables, [*tables, *outer], depth)
            items.append(item)
            columns += given
        if self.chance(0.4):
            text += f" WHERE {self.condition([*tables, *outer], depth)}"
        lead = self.random.choice(("SELECT", "SELECT", "SELECT DISTINCT"))
        written = f"{lead} {', '.join(items)}{text}"
        if lead == "SELECT" and self.chance(0.15) and "WHERE" not in text:
            written = f"{text.strip()} SELECT {', '.join(items)}"
        return written, tuple(columns), tables

    def item(self, own: Sequence[Table], seen: Sequence[Table], depth: int) -> tuple[str, tuple[str, ...]]:
        """An item of a select list and the columns that it gives."""
        kind, table = self.random.random(), self.random.choice(own)
        every = tuple(column for one in own for column in one.columns)
        if kind < 0.1:
            return "*", every
        if kind < 0.15:
            return f"{table.name}.*", table.columns
        if kind < 0.25 and len(own) == 1 and len(set(every)) == len(every) > 1:
            left_out = self.random.choice(every)
            rest = tuple(column for column in every if column != left_out)
            if self.chance(0.5):
                return f"* EXCLUDE ({quoted(left_out)})", rest
            return f"* RENAME ({quoted(left_out)} AS k)", tuple("k" if c == left_out else c for c in every)
        if kind < 0.6:
            name = self.random.choice((*ALIASES, "k", "v", "w"))
            return f"{self.value(seen, depth)} AS {name}", (name,)
        name = self.random.choice(table.columns) if table.columns else "nothing"
        return f"{table.name}.{quoted(name)}", (name,)

    def name(self, seen: Sequence[Table]) -> str:
        """A column: alone where only one table has it, with its table else."""
        if self.chance(self.slips):
            return self.random.choice(OTHERS)
        table = self.random.choice(seen)
        if not table.columns:
            return "1"
        name = self.random.choice(table.columns)
        alone = sum(one.columns.count(name) for one in seen) == 1
        if not table.name or (alone and self.chance(0.6)):
            return quoted(name) if self.chance(0.8) else f'"{name.upper()}"'
        return f"{table.name}.{quoted(name)}"

    def value(self, seen: Sequence[Table], depth: int) -> str:
        kind, name = self.random.random(), self.name(seen)
        if kind < 0.6:
            return name
        if kind < 0.7:
            return f"upper({name}::VARCHAR)"
        if kind < 0.8:
            return f"CASE WHEN {name} IS NULL THEN 1 ELSE 2 END"
        if kind < 0.9:
            return f"list_transform([1], lambda id: id + 1 + hash({name}))"
        if depth > 1:
            text, columns, _ = self.select(1, seen)
            return f"(SELECT count(*) FROM ({text}) q)" if columns else "2"
        return f"hash({name}, {self.name(seen)})"

    def condition(self, seen: Sequence[Table], depth: int) -> str:
        if depth > 1 and self.chance(0.3):
            return f"EXISTS ({self.select(depth - 1, seen)[0]})"
        return f"{self.value(seen, 1)} IS NOT NULL"

    def table(self, depth: int) -> Table:
        alias = f"{self.random.choice(ALIASES)}{next(self.numbers)}" if self.chance(0.8) else ""
        if depth > 1 and self.chance(0.35):
            text, columns = self.query(depth - 1)
            alias = alias or f"s{next(self.numbers)}"
            return self.called(f"({text})", alias, told_apart(columns))
        if self.ctes and self.chance(0.5):
            cte = self.random.choice(self.ctes)
            return self.called(cte.text, alias or cte.name, told_apart(cte.columns), said=bool(alias))
        hidden = {cte.name for cte in self.ctes}
        name = self.random.choice([table for table in TABLES if table not in hidden])
        return self.called(name, alias or name, tuple(TABLES[name]), said=bool(alias))

    def called(self, text: str, name: str, columns: tuple[str, ...], *, said: bool = True) -> Table:
        if not said:
            return Table(text, name, columns)
        if columns and self.chance(0.2):
            return Table(f"{text} AS {name}(first_one)", name, ("first_one", *columns[1:]))
        return Table(f"{text} {name}", name, columns)

    def join(self, tables: list[Table], depth: int) -> str:
        """Join one more of ``tables``."""
        table = self.table(depth - 1)
        if table.name in [one.name for one in tables]:
            return ""
        seen = [*tables, table]
        kind = self.random.choice(("JOIN", "LEFT JOIN", "SEMI JOIN", "ANTI JOIN", "CROSS JOIN", ","))
        if kind in (",", "CROSS JOIN"):
            tables.append(table)
            return f" {kind} {table.text}".replace(" ,", ",")
        if kind in ("JOIN", "LEFT JOIN"):
            tables.append(table)
        common = [name for name in table.columns if len(seen) == 2 and name in seen[0].columns]
        if common and self.chance(0.4):
            return f" {kind} {table.text} USING ({quoted(common[0])})"
        return f" {kind} {table.text} ON {self.condition(seen, 1)}"


def told_apart(columns: Sequence[str]) -> tuple[str, ...]:
    """The columns that come once: of others the engine makes new names."""
    lowered = [column.lower() for column in columns]
    return tuple(column for column in columns if lowered.count(column.lower()) == 1)


def quoted(name: str) -> str:
    return f'"{name}"' if " " in name else name
