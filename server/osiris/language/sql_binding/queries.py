"""Reads whole queries, strictly: who meets a word that is not known here gives up, and nothing is said."""

from __future__ import annotations

from functools import lru_cache

from osiris.language.sql_binding.expressions import Expressions
from osiris.language.sql_binding.sources import Sources
from osiris.language.sql_binding.tree import Bag, Body, Both, Core, Cte, Item, Name, NotUnderstood, Query, Rows
from osiris.syntax.sql import tokenize_sql

MOST_CHARACTERS = 50_000


@lru_cache(maxsize=2048)
def read_query(text: str, dialect: str = "duckdb") -> Query | None:
    """The one query in ``text``; None when a part of it is not understood."""
    if len(text) > MOST_CHARACTERS or (dialect in ("mysql", "mariadb") and ("/*!" in text or "/*M!" in text)):
        return None
    tokens = [token for token in tokenize_sql(text, dialect=dialect) if token.kind != "comment"]
    while tokens and tokens[-1].kind == "semicolon":
        tokens.pop()
    try:
        reader = _Reader(tokens)
        query = reader.query()
        query.used = frozenset(reader.used)
        return query if reader.at == len(tokens) else None
    except (NotUnderstood, RecursionError):
        return None


class _Reader(Sources, Expressions):
    def query(self) -> Query:
        """A whole query, without the parentheses around it."""
        outer, depth, expands = self.bag, self.depth, self.expands
        self.depth += 1
        if self.depth > 40:
            raise NotUnderstood
        ctes = self.named_queries()
        query = Query(ctes, self.body())
        if self.words[self.at] == "ORDER":
            self.bag = query.order = Bag()
            self.ordering()
        if self.words[self.at] in ("LIMIT", "OFFSET"):
            self.bag = query.limit = Bag()
        while self.take("LIMIT") or self.take("OFFSET"):
            if not self.take("ALL"):
                self.expression()
            self.take("%") or self.take("PERCENT") or self.take("ROWS") or self.take("ROW")
        self.bag, self.depth, self.expands = outer, depth, expands
        return query

    def named_queries(self) -> tuple[Cte, ...]:
        """WITH, when it comes next."""
        if not self.take("WITH"):
            return ()
        found: list[Cte] = []
        recursive = self.take("RECURSIVE")
        while True:
            name = self.name()
            columns = self.names() if self.words[self.at] == "(" else ()
            self.need("AS")
            self.take("NOT", "MATERIALIZED") or self.take("MATERIALIZED")
            self.need("(")
            found.append(Cte(name, columns, self.query(), recursive))
            self.need(")")
            if not self.take(","):
                return tuple(found)

    def body(self) -> Body:
        """One SELECT, or several that UNION and the like join."""
        left = self.part()
        while self.words[self.at] in ("UNION", "EXCEPT", "INTERSECT"):
            self.at += 1
            self.take("ALL") or self.take("DISTINCT")
            by_name = self.take("BY", "NAME")
            left = Both(left, self.part(), by_name)
        return left

    def part(self) -> Body:
        """One branch of a query."""
        word = self.words[self.at]
        if word == "(":
            self.at += 1
            query = self.query()
            self.need(")")
            return query
        if word == "VALUES":
            return self.rows()
        core, outer = Core(), self.bag
        if word == "FROM":
            self.at += 1
            self.sources(core)
            if self.words[self.at] == "SELECT":
                self.select_list(core)
            else:
                core.items.append(Item("star", Bag()))
        elif word == "SELECT":
            self.select_list(core)
            if self.take("FROM"):
                self.sources(core)
        else:
            raise NotUnderstood
        self.bag = core.rest
        while self.clause(core):
            pass
        self.bag = outer
        return core

    def rows(self) -> Rows:
        """VALUES."""
        self.need("VALUES")
        outer, self.bag, width = self.bag, Bag(), 0
        while True:
            self.need("(")
            count = 1
            self.expression()
            while self.take(","):
                self.expression()
                count += 1
            self.need(")")
            width = max(width, count)
            if not self.take(","):
                break
        rows, self.bag = Rows(width, self.bag), outer
        return rows

    def clause(self, core: Core) -> bool:
        """One of WHERE, GROUP BY and so on."""
        word = self.words[self.at]
        if word in ("WHERE", "HAVING", "QUALIFY"):
            self.at += 1
            self.expression()
        elif word == "GROUP":
            self.need("GROUP", "BY")
            if not self.take("ALL"):
                self.listed()
        elif word == "WINDOW":
            self.at += 1
            while True:
                name, self.bag = self.name(), Bag()
                core.windows.append((name.key, self.bag))
                self.need("AS")
                self.window()
                if not self.take(","):
                    break
            self.bag = core.rest
        elif word == "USING" and self.take("USING", "SAMPLE"):
            self.sample()
        else:
            return False
        return True

    # -- the select list

    def select_list(self, core: Core) -> None:
        """SELECT, up to FROM."""
        self.need("SELECT")
        outer = self.bag
        if self.take("DISTINCT"):
            if self.take("ON"):
                self.bag = core.rest
                self.parentheses()
        else:
            self.take("ALL")
        while True:
            core.items.append(self.item())
            if not self.take(",") or self.words[self.at] == "FROM":
                break
        self.bag = outer

    def item(self) -> Item:
        """One item of a select list."""
        self.bag = Bag()
        star = self.star()
        if star is not None:
            return star
        prefix: Name | None = None
        if self.words[self.at + 1] == ":" and self.is_name():
            prefix = self.name()
            self.at += 1
        self.expands = 0
        kind = self.expression()
        said = self.take("AS")
        alias = prefix or self.text_alias() or self.alias(said=said)
        if said and alias is None:
            raise NotUnderstood
        if self.expands:
            return Item("open", self.bag, alias, alias=alias is not None, unclear=self.expands > 1)
        if alias is not None:
            return Item("column" if isinstance(kind, tuple) else "expression", self.bag, alias, alias=True)
        if isinstance(kind, tuple):
            return Item("column", self.bag, kind[-1])
        return Item(kind, self.bag)

    def text_alias(self) -> Name | None:
        """``AS 'name'``."""
        token = self.tokens[self.at]
        if token.kind != "string" or self.words[self.at - 1] != "AS":
            return None
        quote, text = token.text[0], token.text[1:-1]
        if token.placeholders or quote not in "'\"" or quote in text:
            raise NotUnderstood
        self.at += 1
        return Name(text, token.span, True, text.casefold())

    def star(self) -> Item | None:
        """``*`` or ``t.*``, with what it leaves out and changes."""
        item = Item("star", self.bag)
        if self.words[self.at] == "*":
            self.at += 1
        elif self.words[self.at + 1 : self.at + 3] == [".", "*"] and self.is_name():
            item.qualifier = self.name()
            self.at += 2
        else:
            return None
        while self.changed(item):
            pass
        return item

    def changed(self, item: Item) -> bool:
        """One of EXCLUDE, REPLACE and so on; False when none comes next."""
        word = self.words[self.at]
        if word == "EXCLUDE":
            self.at += 1
            item.excluded = (*item.excluded, *self.columns_of_star())
        elif word == "REPLACE":
            self.at += 1
            many = self.take("(")
            while True:
                self.expression()
                self.need("AS")
                item.expected = (*item.expected, (self.name(),))
                if not many or not self.take(","):
                    break
            if many:
                self.need(")")
        elif word == "RENAME":
            self.at += 1
            many = self.take("(")
            while True:
                old = self.dotted()
                if len(old) > 1:
                    raise NotUnderstood  # other tables keep a column of that name
                self.need("AS")
                item.renamed = (*item.renamed, (old[-1].key, self.name()))
                if not many or not self.take(","):
                    break
            if many:
                self.need(")")
        elif word in ("LIKE", "ILIKE", "GLOB", "NOT", "SIMILAR"):
            self.take("NOT")
            self.at += 2 if self.take("SIMILAR") else 1
            self.operand()
        else:
            return False
        return True

    def columns_of_star(self) -> list[tuple[Name, ...]]:
        """One column, or several in parentheses."""
        if not self.take("("):
            return [self.dotted()]
        found = [self.dotted()]
        while self.take(","):
            found.append(self.dotted())
        self.need(")")
        return found

    def dotted(self) -> tuple[Name, ...]:
        """A name with all that dots join to it."""
        parts = [self.name()]
        while self.take("."):
            parts.append(self.name())
        return tuple(parts)
