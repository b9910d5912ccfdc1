"""Reads what stands in FROM."""

from __future__ import annotations

from osiris.language.sql_binding.expressions import Expressions
from osiris.language.sql_binding.tree import Bag, Core, Name, NotUnderstood, Source
from osiris.language.sql_binding.words import NO_NAMES, ONE_COLUMN
from osiris.syntax.sql import word_set

_JOIN_WORDS = word_set("NATURAL ASOF INNER LEFT RIGHT FULL OUTER CROSS POSITIONAL SEMI ANTI")

_NO_ALIAS = word_set("PARTITION USE FORCE IGNORE INDEXED")
"""What databases say behind a table without naming it."""


class Sources(Expressions):
    """Tables, queries and functions, and the joins between them."""

    def sources(self, core: Core) -> None:
        """All of FROM."""
        outer = self.bag
        self.source(core)
        while True:
            if self.take(","):
                if self.words[self.at] in NO_NAMES and self.words[self.at] != "LATERAL":
                    break  # a comma too many is allowed
                self.source(core)
            elif not self.join(core):
                break
        self.bag = outer

    def join(self, core: Core) -> bool:
        """A JOIN with its table and condition; False when none comes next."""
        kinds: set[str] = set()
        at = self.at
        while self.words[self.at] in _JOIN_WORDS:
            kinds.add(self.words[self.at])
            self.at += 1
        if not self.take("JOIN"):
            if self.at != at:
                raise NotUnderstood
            return False
        before = len(core.sources)
        source = self.source(core)
        source.grouped |= len(core.sources) > before + 1
        source.natural |= "NATURAL" in kinds
        source.left_out |= bool(kinds & {"SEMI", "ANTI"})
        if self.take("ON"):
            self.bag = source.on = source.on or Bag()  # one in parentheses may have a condition of its own
            self.expression()
        elif self.words[self.at : self.at + 2] == ["USING", "("]:
            self.at += 1
            source.using = (*source.using, *self.names())
        return True

    def source(self, core: Core) -> Source:
        """One table; of several in parentheses the last."""
        prefix: Name | None = None
        if self.words[self.at + 1] == ":" and self.is_name():
            prefix = self.name()
            self.at += 1
        self.take("LATERAL")
        source = Source(Bag())
        self.bag = source.bag
        if self.words[self.at] == "(":
            if not self.starts_query():
                return self.joined(core, prefix)
            at, depth = self.at, self.depth
            try:
                self.need("(")
                source.query = self.query()
                self.need(")")
            except NotUnderstood:  # `((SELECT 1) a JOIN b ON ...)`
                if self.words[at + 1] != "(":
                    raise
                self.at, self.depth, self.bag = at, depth, source.bag
                return self.joined(core, prefix)
        elif self.tokens[self.at].kind in ("string", "placeholder"):
            self.at += 1
        elif self.words[self.at] in NO_NAMES:
            raise NotUnderstood
        else:
            self.named_source(source)
        core.sources.append(source)
        self.behind_source(source, prefix)
        return source

    def named_source(self, source: Source) -> None:
        """A table or a function."""
        parts = [self.name()]
        while self.take("."):
            parts.append(self.name())
        if self.words[self.at] != "(":
            source.parts = tuple(parts)
            return
        called = parts[-1].text.upper() if len(parts) == 1 else ""
        arguments = self.call("", in_from=True)
        with_more = self.take("WITH", "ORDINALITY")
        if called in ONE_COLUMN and not with_more and (arguments == 1 or called != "UNNEST"):
            source.function = called.lower()

    def behind_source(self, source: Source, prefix: Name | None) -> None:
        """The name that a table gets, those of its columns, and how much of it is taken."""
        said = self.take("AS")
        if self.words[self.at] in _NO_ALIAS:
            raise NotUnderstood
        source.alias = prefix or self.alias(said=said)
        if said and source.alias is None:
            raise NotUnderstood
        if source.alias is not None and self.words[self.at] == "(":
            source.columns = self.names()
        if self.take("TABLESAMPLE"):
            self.sample()

    def sample(self) -> None:
        """How many rows are taken, and how."""
        if self.is_name():
            self.name()
            self.skip_parentheses()
        elif self.tokens[self.at].kind == "number":
            self.at += 1
            self.take("%") or self.take("PERCENT") or self.take("ROWS")
            if self.words[self.at] == "(":
                self.skip_parentheses()
        else:
            raise NotUnderstood
        if self.take("REPEATABLE"):
            self.skip_parentheses()

    def joined(self, core: Core, prefix: Name | None) -> Source:
        """Tables that are joined in parentheses, which have no name of their own."""
        self.depth += 1
        if prefix is not None or self.depth > 40:
            raise NotUnderstood
        self.need("(")
        self.source(core)
        while self.take(",") or self.join(core):
            if self.words[self.at - 1] == ",":
                self.source(core)
        self.need(")")
        self.depth -= 1
        if self.words[self.at] == "AS" or (self.is_name() and self.words[self.at] not in NO_NAMES):
            raise NotUnderstood
        return core.sources[-1]
