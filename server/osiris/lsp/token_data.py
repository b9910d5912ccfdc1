"""Semantic tokens as LSP sends them: five numbers per token, each place relative to the token before.

Within a part of the document all of these but the first place stay the same wherever the part moves, so they are made
once per part and joined together for an answer.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

from osiris.ide.semantic_tokens.kinds import TokenKind
from osiris.ide.semantic_tokens.tokens import Stretch, Token, stretches
from osiris.lsp.documents import Snapshot
from osiris.lsp.positions import PositionCodec
from osiris.syntax.text import LineIndex, Span

if TYPE_CHECKING:
    from osiris.lsp.session import Session

TURN_SECONDS = 0.008  # so long the loop waits at most for tokens that are made for the first time

_NUMBERS = {kind: number for number, kind in enumerate(TokenKind)}


@dataclass(frozen=True, slots=True)
class _Encoded:
    """The numbers of a stretch. Lines count from that of its base; ``data`` lacks the first token's place."""

    tokens: tuple[Token, ...]
    column: int
    first: tuple[int, int]
    last: tuple[int, int]
    data: list[int]


@dataclass(slots=True)
class _Joined:
    """An answer in the making: the numbers, and the place of the token before."""

    data: list[int] = field(default_factory=list)
    line: int = 0
    character: int = 0

    def add(self, line: int, encoded: _Encoded) -> None:
        """Append a stretch whose base is on ``line``."""
        first, character = line + encoded.first[0], encoded.first[1]
        down = first - self.line
        self.data += (down, character if down else character - self.character)
        self.data += encoded.data
        self.line, self.character = line + encoded.last[0], encoded.last[1]


class DocumentTokens:
    """What is kept for one open document: its tokens as they are sent, and the last whole answer."""

    def __init__(self) -> None:
        self._encoded: dict[int, _Encoded] = {}
        self._answers = 0
        self.data: list[int] = []
        self.result_id = ""

    async def full(self, snapshot: Snapshot) -> list[int]:
        """All tokens; from now on ``result_id`` names this answer. The loop is free now and then meanwhile."""
        joined, encoded = _Joined(), dict[int, _Encoded]()
        lines, turn = snapshot.analysis.document.lines, perf_counter()
        for stretch in stretches(snapshot.analysis):
            one = encoded[id(stretch.tokens)] = self._encode(snapshot, stretch)
            joined.add(lines.line_of(stretch.base), one)
            if perf_counter() - turn > TURN_SECONDS:
                await asyncio.sleep(0)
                turn = perf_counter()
        self._encoded = encoded
        self._answers += 1
        self.data, self.result_id = joined.data, str(self._answers)
        return joined.data

    async def delta(self, snapshot: Snapshot, previous: str) -> list[dict[str, Any]] | None:
        """What has changed since the answer ``previous``; None when that is not the last one."""
        before = self.data if previous and previous == self.result_id else None
        after = await self.full(snapshot)
        return None if before is None else changes(before, after)

    def within(self, snapshot: Snapshot, span: Span) -> list[int]:
        """The tokens that touch a part of the document."""
        joined = _Joined()
        lines = snapshot.analysis.document.lines
        for base, text, tokens in stretches(snapshot.analysis, span):
            some = tokens
            if base + tokens[0].start < span.start or base + tokens[-1].end > span.end:
                some = tuple(t for t in tokens if t.start + base < span.end and span.start < t.end + base)
            if some:
                joined.add(lines.line_of(base), self._encode(snapshot, Stretch(base, text, some)))
        return joined.data

    def _encode(self, snapshot: Snapshot, stretch: Stretch) -> _Encoded:
        document = snapshot.analysis.document
        line = document.lines.starts[document.lines.line_of(stretch.base)]
        column = snapshot.codec.units(document.text[line : stretch.base])
        known = self._encoded.get(id(stretch.tokens))
        if known is not None and known.tokens is stretch.tokens and known.column == column:
            return known
        return encode(stretch, column, snapshot.codec)


def encode(stretch: Stretch, column: int, codec: PositionCodec) -> _Encoded:
    """The numbers of a stretch whose base stands at ``column`` (in units of the encoding)."""
    _, text, tokens = stretch
    lines = LineIndex(text)
    data: list[int] = []
    first = last = (0, 0)
    for start, end, kind, modifiers in tokens:
        line, character = codec.to_position(text, lines, start)
        if line == 0:
            character += column
        if data:
            down = line - last[0]
            data += (down, character if down else character - last[1])
        else:
            first = (line, character)
        data += (codec.units(text[start:end]), _NUMBERS[kind], int(modifiers))
        last = (line, character)
    return _Encoded(tokens, column, first, last, data)


def changes(before: list[int], after: list[int]) -> list[dict[str, Any]]:
    """The edits, at most one, that turn ``before`` into ``after``; they begin and end between two tokens."""
    if before == after:
        return []
    most = min(len(before), len(after))
    head = _common(most, lambda size: before[:size] == after[:size])
    tail = _common(most - head, lambda size: size == 0 or before[-size:] == after[-size:])
    return [{"start": head, "deleteCount": len(before) - head - tail, "data": after[head : len(after) - tail]}]


def _common(most: int, same: Any) -> int:
    """The largest multiple of five up to ``most`` for which ``same`` holds, which holds for all smaller ones too."""
    low, high = 0, most // 5
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if same(5 * middle) else (low, middle - 1)
    return 5 * low


def tokens_of(session: Session, uri: str) -> DocumentTokens:
    """What is kept for an open document; what was kept for documents that are closed by now goes."""
    if uri not in session.tokens:
        session.tokens = {uri: kept for uri, kept in session.tokens.items() if session.documents.get(uri) is not None}
    return session.tokens.setdefault(uri, DocumentTokens())
