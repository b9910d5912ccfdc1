"""Several rounds of edits of one text, told as one set of edits of the text as it was at first."""

from __future__ import annotations

from collections.abc import Iterable

from osiris.syntax.diagnostic import TextEdit
from osiris.syntax.text import Span

Piece = Span | str
"""A stretch of the first text that is still there, or text that was put in."""


class EditLog:
    """A text that is edited, and what it was made from. ``text`` is what stands there now."""

    def __init__(self, text: str) -> None:
        """Start with ``text`` unedited."""
        self._first = text
        self._pieces: list[Piece] = [Span(0, len(text))]
        self.text = text

    def apply(self, edits: Iterable[TextEdit]) -> None:
        """Apply edits of the present text that do not overlap; insertions at one place keep their order."""
        cutter = _Cutter(self._pieces)
        pieces: list[Piece] = []
        for edit in sorted(edits, key=lambda one: one.span):
            pieces += cutter.until(edit.span.start)
            cutter.until(edit.span.end)
            if edit.new_text:
                pieces.append(edit.new_text)
        pieces += cutter.until(len(self.text))
        self._pieces = pieces
        self.text = "".join(self._text(piece) for piece in pieces)

    def edits(self) -> tuple[TextEdit, ...]:
        """What makes the present text from the first one, in order: one edit for each place that changed."""
        found: list[TextEdit] = []
        at, new = 0, ""
        for piece in [*self._pieces, Span(len(self._first), len(self._first))]:
            if isinstance(piece, str):
                new += piece
                continue
            if new or at < piece.start:
                found.append(TextEdit(Span(at, piece.start), new))
            at, new = piece.end, ""
        return tuple(edit for edit in found if self._text(edit.span) != edit.new_text)

    def _text(self, piece: Piece) -> str:
        return piece if isinstance(piece, str) else self._first[piece.start : piece.end]


class _Cutter:
    """Takes pieces off a list from its start; offsets count in the text that the pieces make."""

    def __init__(self, pieces: list[Piece]) -> None:
        self._rest = pieces[::-1]
        self._at = 0

    def until(self, end: int) -> list[Piece]:
        """The pieces, the last one cut, from where the last call stopped to the offset ``end``."""
        found: list[Piece] = []
        while self._at < end and self._rest:
            piece = self._rest.pop()
            size = len(piece) if isinstance(piece, str) else piece.end - piece.start
            if size > end - self._at:
                piece, rest = _split(piece, end - self._at)
                self._rest.append(rest)
                size = end - self._at
            found.append(piece)
            self._at += size
        return found


def _split(piece: Piece, at: int) -> tuple[Piece, Piece]:
    if isinstance(piece, str):
        return piece[:at], piece[at:]
    return Span(piece.start, piece.start + at), Span(piece.start + at, piece.end)
