"""Formatting: one layout for every OML file, as edits of blanks and line ends alone.

What a text says stays as it is, down to comments, quotes, anchors and the line ends of block scalars. What is broken
keeps its layout, and so does what must stand in one column with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from osiris.ide.formatting.layout import INDENT, Column, Place, lay_out
from osiris.ide.formatting.scalars import Unmovable
from osiris.language.edits import applied, line_end, line_start, newline_of
from osiris.syntax.assembly import Source
from osiris.syntax.diagnostic import Severity, TextEdit
from osiris.syntax.document import Document, PartCache, parse
from osiris.syntax.split import Piece, find_body
from osiris.syntax.text import Span
from osiris.syntax.tokens import Kind, Token, meaning, tokenize

_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Formatting:
    """The edits that format a document, sorted. ``left_alone`` are the valid stretches that kept their layout because
    it could not be changed without a change of what they say. ``broken``: something is wrong with the syntax, and what
    is broken keeps its layout."""

    edits: tuple[TextEdit, ...]
    left_alone: tuple[Span, ...] = ()
    broken: bool = False


def format_document(document: Document) -> Formatting:
    """The edits that format all of ``document``. Never raises."""
    return _format(document, None)


def format_range(document: Document, span: Span) -> Formatting:
    """The edits that format the lines of ``span``.

    Where these lines cannot move alone, because others stand in one column with them, the steps and top-level keys
    that they belong to are formatted as a whole.
    """
    text = document.text
    last = span.end - 1 if span.end > span.start and span.end == line_start(text, span.end) else span.end
    lines = Span(line_start(text, span.start), line_end(text, last))
    found = _format(document, lines)
    inside = tuple(e for e in found.edits if e.span.start <= lines.end and e.span.end >= lines.start)
    if inside == found.edits or _is_same(document, inside):
        return Formatting(inside, found.left_alone, found.broken)
    return found


def _format(document: Document, lines: Span | None) -> Formatting:
    plan = _Plan(document)
    broken = _is_broken(document, plan)
    if not plan.possible:
        return Formatting((), broken=broken)
    kept = plan.outside(lines) if lines is not None else set()
    refused: set[int] = set()
    moves = True
    for _ in range(_ROUNDS):
        edits, unmovable = plan.edits(kept | refused, moves=moves)
        changed = unmovable or (_changed(plan, edits) if edits else set())
        if changed is None:
            moves = False
        elif changed:
            refused |= changed
        else:
            return Formatting(tuple(edits), plan.spans(refused), broken)
    return Formatting((), plan.spans(range(len(plan.pieces))), broken)


def _is_broken(document: Document, plan: _Plan) -> bool:
    errors = {one.code for one in document.diagnostics if one.severity is Severity.ERROR}
    if plan.possible and "OML005" not in errors and all(part.intact for _, part in document.pieces):
        return False  # what errors there are, as of equal keys, leave the layout clear
    return bool(errors)


def _changed(plan: _Plan, edits: Sequence[TextEdit]) -> set[int] | None:
    """The pieces that would say something else after ``edits``; None when the text would be cut in other pieces."""
    document = plan.document
    after = parse(applied(document.text, edits), plan.cache)
    pieces = after.pieces
    if len(pieces) != len(plan.pieces):
        return None
    if [one.code for one in after.diagnostics] != [one.code for one in document.diagnostics]:
        return None
    readable = Source(after.text).readable
    return {
        index
        for index, ((new, _), (old, before)) in enumerate(zip(pieces, plan.pieces, strict=True))
        if (text := readable[new.start : new.end]) != before
        and (new.kind != old.kind or (said := meaning(before)) is None or said != meaning(text))
    }


def _is_same(document: Document, edits: Sequence[TextEdit]) -> bool:
    return _changed(_Plan(document), edits) == set()


class _Plan:
    """The stretches of a document, and the columns that they start in."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.pieces: list[tuple[Piece, str]] = []
        self.tokens: list[list[Token] | None] = []
        self.cache = PartCache()
        source = Source(document.text)
        # A text with merge conflicts, or one that is no block mapping, keeps its layout.
        self.possible = bool(document.pieces or document.empty) and not source.diagnostics
        if not self.possible:
            return
        body = find_body(source.lines)
        self.start = max(body.start, 1 if document.text.startswith("\ufeff") else 0)
        self.end = body.end
        self.at_end = body.end == len(document.text)
        self.line_end = newline_of(document.text)
        self.readable = source.readable
        for piece, part in document.pieces:
            text = source.readable[piece.start : piece.end]
            self.pieces.append((piece, text))
            self.tokens.append(tokenize(text) if part.intact else None)
        self.columns = [_first_column(text) for _, text in self.pieces]

    def outside(self, lines: Span) -> set[int]:
        """The pieces that have none of ``lines``."""
        return {i for i, (piece, _) in enumerate(self.pieces) if piece.start > lines.end or piece.end <= lines.start}

    def spans(self, indices: Iterable[int]) -> tuple[Span, ...]:
        """Where pieces stand."""
        return tuple(Span(self.pieces[i][0].start, self.pieces[i][0].end) for i in sorted(indices))

    def edits(self, kept: set[int], *, moves: bool) -> tuple[list[TextEdit], set[int]]:
        """The edits of all pieces but those ``kept``, and the pieces that turned out to be unmovable.

        ``moves``: whether top-level keys and steps may go to other columns.
        """
        fixed = kept | {index for index, tokens in enumerate(self.tokens) if tokens is None}
        columns = self._columns(fixed if moves else set(range(len(self.pieces))))
        found: list[TextEdit] = []
        unmovable: set[int] = set()
        first = self.pieces[0][0].start if self.pieces else self.end
        if first > self.start and 0 not in kept:
            after = columns[0] if columns else Column(-1, 0)
            place = Place(after, 0, after, at_start=True, at_end=not columns and self.at_end, line_end=self.line_end)
            head = self.readable[self.start : first]
            found += _shifted(lay_out(head, [Token(Kind.END, len(head), len(head))], place), self.start)
        for index, (piece, text) in enumerate(self.pieces):
            tokens = self.tokens[index]
            if index in fixed or tokens is None:
                continue
            try:
                found += _shifted(lay_out(text, tokens, self._place(index, columns)), piece.start)
            except Unmovable:
                unmovable.add(index)
        return found, unmovable

    def _columns(self, fixed: set[int]) -> list[Column]:
        """Where each piece starts now and then. Pieces that belong in one column stay where one of them is fixed."""
        steps = {i for i, (piece, _) in enumerate(self.pieces) if piece.kind == "step"}
        keys = set(range(len(self.pieces))) - steps
        columns = [Column(old, old) for old in self.columns]
        if self._may_move(keys, fixed):
            for index in keys:
                columns[index] = Column(self.columns[index], 0)
        if self._may_move(steps, fixed):
            top = columns[min(keys)].new if keys else 0
            for index in steps:
                columns[index] = Column(self.columns[index], top + INDENT)
        return columns

    def _may_move(self, indices: set[int], fixed: set[int]) -> bool:
        return not indices & fixed and len({self.columns[index] for index in indices}) == 1

    def _place(self, index: int, columns: list[Column]) -> Place:
        is_last = index + 1 == len(self.pieces)
        kind = self.pieces[index][0].kind
        return Place(
            outer=columns[0],
            first=columns[index].new,
            after=Column(-1, columns[0].new) if is_last else columns[index + 1],
            leads_in=kind == "header",
            at_end=is_last and self.at_end,
            line_end=self.line_end,
        )


def _first_column(text: str) -> int:
    return len(text) - len(text.lstrip(" "))


def _shifted(edits: Iterable[TextEdit], by: int) -> list[TextEdit]:
    return [TextEdit(edit.span.shift(by), edit.new_text) for edit in edits]
