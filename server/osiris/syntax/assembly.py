"""Puts a document together from its pieces, and finds out where they were cut wrongly."""

from __future__ import annotations

import re
from itertools import pairwise

from osiris.syntax.aliases import Anchor
from osiris.syntax.conflicts import has_conflicts, hide_conflicts
from osiris.syntax.dashless import later_steps, missing_dash
from osiris.syntax.diagnostic import Diagnostic, Fix, TextEdit
from osiris.syntax.findings import duplicate, error
from osiris.syntax.limits import MAX_ALIAS_NODES
from osiris.syntax.masking import mask
from osiris.syntax.parts import Part, PartCache, Placed, Record, read_part
from osiris.syntax.recovery import recover
from osiris.syntax.split import Layout, Piece, find_body, misplaced_items, split
from osiris.syntax.strict import opaque_ranges, read_strictly
from osiris.syntax.text import Span
from osiris.syntax.tree import Entry, Mapping, Node, Sequence, shift_node
from osiris.syntax.tree_builder import Reading

_LINE = re.compile(r"^( *)[^ \n]", re.MULTILINE)
_BLANK_LINE = re.compile("(?:^|(?<=[\r\n]))[ \t\x0c]++(?=[\r\n]|\\Z)")
_BARE_ITEM = re.compile(r"- +(?![^\n]*:(?: |\n))[^\n]")
_MAX_JUDGEMENTS = 4
_STEPS = ("step", "bare")
_ODD_STARTS = frozenset("|>&!")  # a value whose key stands on the line above, at the same indent


class Source:
    """A text in the three forms it is read in, all of the same length.

    ``text`` is as given; ``readable`` lacks a BOM, what merge conflicts hide, and form feeds on otherwise empty lines
    (old editors part pages by them); ``lines`` ends every line in ``\\n``. ``alters``: ``readable`` says something
    else than ``text``.
    """

    __slots__ = ("alters", "diagnostics", "lines", "readable", "text")

    def __init__(self, text: str) -> None:
        """Prepare ``text``."""
        self.text = text
        self.diagnostics: list[Diagnostic] = []
        self.alters = False
        self.readable = "\n" + text[1:] if text.startswith("\ufeff") else text
        if "\x0c" in text:
            self.readable = _BLANK_LINE.sub(lambda found: found.group().replace("\x0c", " "), self.readable)
            self.alters = True
        self.lines = self.readable.replace("\r", "\n") if "\r" in text else self.readable
        if has_conflicts(self.lines):
            self.readable, self.diagnostics = hide_conflicts(self.readable, self.lines)
            self.lines = self.readable.replace("\r", "\n")
            self.alters = True


class Assembly:
    """The parts of one version of a document; after ``run`` its attributes are those of the document."""

    def __init__(self, source: Source, cache: PartCache) -> None:
        """Read ``source``, with the parts in ``cache`` where they fit; ``cache`` then holds those of this version."""
        self.source = source
        self.cache = cache
        self.diagnostics = list(source.diagnostics)
        self.sections: list[Placed] = []
        self.steps: list[Placed] = []
        self.steps_entry: tuple[int, Entry] | None = None
        self.top: Node | None = None
        self.empty = False
        self.end = len(source.text)
        self.judgements = 0
        self.pieces: tuple[tuple[Piece, Part], ...] = ()

    def run(self) -> None:
        """Read everything."""
        lines = self.source.lines
        body = find_body(lines)
        self.end = body.end
        if body.second >= 0:
            self._report_second(body.second)
        else:  # comments behind an end marker
            self.diagnostics += [one.shift(body.end) for one in mask(self.source.readable[body.end :]).diagnostics]
        layout = split(lines, body.start, body.end) if body.plain else None
        if layout is None:
            self._read_whole(body.start)
            return
        first = layout.pieces[0].start if layout.pieces else self.end
        self.diagnostics += mask(self.source.readable[:first]).diagnostics
        read = self._read(layout)
        if read is None:
            self._read_whole(body.start)
            return
        pieces, records, misplaced = read
        self.empty = not pieces
        self.pieces = tuple([(piece, record.part) for piece, record in zip(pieces, records, strict=True)])
        self._place(pieces, records)
        if pieces and layout.first_indent > layout.indent:
            self._report_indented(pieces[0], layout)
        if misplaced:
            self._report_misplaced(pieces, layout)
        for piece, record in zip(pieces, records, strict=True):
            if piece.kind == "bare":
                indent = layout.step_indent
                found = missing_dash(self.source.lines, piece.start, piece.end, record.part.node, indent)
                self.diagnostics += [found] if found else []

    def _read(self, layout: Layout) -> tuple[list[Piece], list[Record], bool] | None:
        """The records of all pieces, and whether steps stood at a wrong indent.

        The pieces may turn out to be others than those of ``layout``; None when only a whole read makes sense of them.
        """
        old, text = self.cache.records, self.source.text
        new: dict[str, dict[str, Record]] = {"section": {}, "header": {}, "step": {}, "bare": {}, "stray": {}}
        plain = not self.source.alters
        anchors: dict[str, Anchor] = {}
        expanded = 0
        records: list[Record] = []
        pieces: list[Piece] = []
        queue = list(reversed(layout.pieces))
        cut: set[int] = set()  # where broken steps were cut again; their pieces are not cut further
        while queue:
            piece = queue.pop()
            if pieces and pieces[-1].start in cut and self._goes_on(pieces[-1], piece, layout):
                piece = Piece("step", pieces.pop().start, piece.end)
                records.pop()
            kind, start, end = piece
            source = text[start:end]
            key = source if plain else source + "\0" + self.source.readable[start:end]
            record = old[kind].get(key) if kind in old else None
            if record is None or (record.outside and not record.fits(anchors)):
                record = read_part(kind, source, self.source.readable[start:end], anchors)
            if record.expanded:
                if expanded + record.expanded > MAX_ALIAS_NODES:
                    budget = MAX_ALIAS_NODES - expanded
                    record = read_part(kind, source, self.source.readable[start:end], anchors, budget)
                expanded += record.expanded
            if record.part.diagnostics and kind in _STEPS and (others := later_steps(record.part.node)):
                starts = [self.source.lines.rfind("\n", 0, start + at) + 1 for at in others]
                queue += [Piece("bare", a, b) for a, b in pairwise([*starts, end])][::-1]
                queue.append(Piece(kind, start, starts[0]))
                continue
            if not record.part.intact:
                if record.runs_on and (better := self._judge(piece, layout, record.runs_on)):
                    return self._read(better)
                if kind == "section" and source[layout.indent : layout.indent + 1] in _ODD_STARTS and self._valid():
                    return None
                if kind == "step" and start not in cut and (inner := self._cuts(piece, record, layout)):
                    bounds = [start, *inner, end]
                    queue += [Piece("step", a, b) for a, b in pairwise(bounds)][::-1]
                    cut.update(bounds)
                    continue
            new[kind][key] = record
            if record.anchors:
                anchors.update(record.anchors)
            records.append(record)
            pieces.append(piece)
        self.cache.records = new
        return pieces, records, bool(cut)

    def _goes_on(self, before: Piece, piece: Piece, layout: Layout) -> bool:
        """Whether a dash that stands where steps start is an item of a list in the step before, which is too far left.

        That list is the value of its last key, as in ``needs:``, and its dashes stand where that step's keys do.
        """
        lines = self.source.lines
        if piece.kind != "step" or lines.find("-", before.start) - before.start + 2 != layout.step_indent:
            return False
        last = lines[before.start : before.end].rstrip().rpartition("\n")[2]
        is_list = last.endswith(":") or last.startswith(" " * layout.step_indent + "- ")
        return is_list and _BARE_ITEM.match(lines, piece.start + layout.step_indent, piece.end) is not None

    def _cuts(self, piece: Piece, record: Record, layout: Layout) -> list[int]:
        """Where a broken step ends early, because other steps follow in it at a wrong indent."""
        inner = misplaced_items(self.source.lines, piece, layout)
        return inner or [piece.start + at for at in record.cuts]

    def _valid(self) -> bool:
        """Whether the whole document is valid YAML after all."""
        self.judgements += 1
        return (
            self.judgements <= _MAX_JUDGEMENTS
            and opaque_ranges(mask(self.source.readable[: self.end]).text) is not None
        )

    def _judge(self, piece: Piece, layout: Layout, runs_on: str) -> Layout | None:
        """A better layout when the text from ``piece`` on is valid YAML: then a quote or bracket spans pieces."""
        if self.judgements >= _MAX_JUDGEMENTS:
            return None
        lines = self.source.lines
        if runs_on == "quoted" and lines.find("'", piece.end) < 0 and lines.find('"', piece.end) < 0:
            return None
        self.judgements += 1
        head = " " * layout.indent + "steps:\n" if piece.kind == "step" else ""
        rest = head + mask(self.source.readable[piece.start : self.end]).text
        ranges = opaque_ranges(rest)
        if not ranges:
            return None
        forms: list[str] = []
        at = 0
        for span in ranges:
            span = span.shift(piece.start - len(head))
            forms += [lines[at : span.start], lines[span.start : span.end].replace("\n", "x")]
            at = span.end
        self.source.lines = "".join([*forms, lines[at:]])
        better = split(self.source.lines, layout.pieces[0].start, self.end)
        return None if better == layout else better

    def _place(self, pieces: list[Piece], records: list[Record]) -> None:
        steps, found = self.steps, self.diagnostics
        header: int = -1
        for piece, record in zip(pieces, records, strict=True):
            part, base = record.part, piece.start
            if record.scalar is not None and len(pieces) == 1:
                self.top = shift_node(record.scalar, base)
                found += [one.shift(base) for one in record.scalar_findings]
                return
            if part.diagnostics:
                found += [one.shift(base) for one in part.diagnostics]
            if piece.kind in _STEPS:
                steps.append(Placed(base, part))
            elif piece.kind == "header":
                header = base
                assert isinstance(part.node, Mapping)
                self.steps_entry = (base, part.node.entries[0])
            else:
                self._place_section(base, record)
        if header >= 0 and self.steps_entry is not None:
            self._span_steps(pieces, self.steps_entry)
        self._report_duplicates()

    def _place_section(self, base: int, record: Record) -> None:
        part = record.part
        node = part.node
        own = node.entry("steps") if isinstance(node, Mapping) and self.steps_entry is None else None
        if own is None or not isinstance(node, Mapping):
            self.sections.append(Placed(base, part))
            return
        if len(node.entries) > 1:
            rest = tuple(entry for entry in node.entries if entry is not own)
            self.sections.append(Placed(base, Part(part.text, Mapping(node.span, rest), (), part.intact)))
        if isinstance(own.value, Sequence):
            self.steps += [Placed(base, item) for item in record.items]
            value = Sequence(own.value.span, (), own.value.flow, own.value.synthetic)
            own = Entry(own.key, value, own.span, own.has_colon, own.synthetic)
        self.steps_entry = (base, own)

    def _span_steps(self, pieces: list[Piece], header: tuple[int, Entry]) -> None:
        """Give the ``steps`` entry its list, from the first dash to the end of the last step."""
        base, entry = header
        first = next(piece for piece in pieces if piece.kind in _STEPS)
        text = self.source.lines
        dash = text.index("-" if first.kind == "step" else "id", first.start)
        last = self.steps[-1]
        span = Span(dash - base, max(last.base + last.part.node.span.end, dash + 1) - base)
        value = Sequence(span, ())
        self.steps_entry = (base, Entry(entry.key, value, Span(entry.span.start, span.end)))

    def _report_duplicates(self) -> None:
        first: dict[str, Span] = {}
        keys: list[tuple[Span, str]] = []
        if self.steps_entry is not None:
            base, own = self.steps_entry
            keys.append((own.key.span.shift(base), own.key.text))
        for placed in self.sections:
            if isinstance(placed.part.node, Mapping) and placed.part.node.entries:
                entry = placed.part.node.entries[0]
                if entry.key.span.start < entry.key.span.end:
                    keys.append((placed.span(entry.key.span), entry.key.text))
        if len({name for _, name in keys}) == len(keys):
            return
        for span, name in sorted(keys):
            if name in first:
                self.diagnostics.append(duplicate(name, span, first[name]))
            else:
                first[name] = span

    def _report_misplaced(self, pieces: list[Piece], layout: Layout) -> None:
        """OML005 at every step whose dash is not where most dashes are."""
        lines = self.source.lines
        places: dict[int, list[Piece]] = {}
        for piece in pieces:
            if piece.kind == "step":
                places.setdefault(lines.index("-", piece.start) - piece.start, []).append(piece)
        told = {one.span.start for one in self.diagnostics if one.code == "OML005"}
        usual = max(places, key=lambda width: (len(places[width]), width == layout.step_indent))
        for width, odd in places.items():
            for piece in odd if width != usual else ():
                dash = piece.start + width
                if dash in told:
                    continue
                message = (
                    f"This step starts in column {width + 1}, the other steps in column {usual + 1}. "
                    "The items of one list must stand below each other."
                )
                fix = Fix("Move the step", self._move(piece, usual - width), preferred=True)
                self.diagnostics.append(error("OML005", Span(dash, dash + 1), message, fix))

    def _report_indented(self, piece: Piece, layout: Layout) -> None:
        """OML005 at the first line of the document, which stands further right than the keys that follow."""
        start = self.source.lines.index(" " * layout.first_indent, piece.start) + layout.first_indent
        line_end = self.source.lines.find("\n", start)
        span = Span(start, line_end if line_end >= 0 else self.end)
        message = (
            f"This is indented by {layout.first_indent} spaces, the other top-level keys by {layout.indent}. What "
            "belongs together must stand in one column."
        )
        fix = Fix("Move it to the left", self._move(piece, layout.indent - layout.first_indent), preferred=True)
        self.diagnostics.append(error("OML005", span, message, fix))

    def _move(self, piece: Piece, by: int) -> tuple[TextEdit, ...]:
        edits: list[TextEdit] = []
        for line in _LINE.finditer(self.source.lines, piece.start, piece.end):
            at, width = line.start(), len(line.group(1))
            edits.append(TextEdit(Span(at, at + min(-by, width)), "") if by < 0 else TextEdit(Span(at, at), " " * by))
        return tuple(edits)

    def _read_whole(self, start: int) -> None:
        """Read a document that is no block mapping (or starts oddly) in one go."""
        source, readable = self.source.text[start : self.end], self.source.readable[start : self.end]
        masked = mask(readable)
        reading = read_strictly(source, masked.text, masked.restore, {}, MAX_ALIAS_NODES)
        found = [*masked.diagnostics, *reading.diagnostics]
        node, intact = reading.node, reading.trouble is None
        if reading.second >= 0:
            self._report_second(start + reading.second)
        if reading.trouble is not None:
            recovered = recover(readable, "whole", reading.trouble, {}, MAX_ALIAS_NODES)
            node = recovered.node
            found = [*masked.diagnostics, *recovered.diagnostics]
        self.diagnostics += [one.shift(start) for one in found]
        self.cache.records = {}
        if not isinstance(node, Mapping):
            self.top = None if node is None else shift_node(node, start)
            self.empty = node is None
            return
        for entry in node.entries:
            part = Part(source, Mapping(entry.span, (entry,), node.flow), (), intact)
            record = Record(part, Reading(), {})
            self._place_section(start, record)

    def _report_second(self, at: int) -> None:
        end = at + 3 if self.source.lines.startswith("---", at) else at + 1
        message = "This file holds several documents; only the first one is read. Move the others to their own files."
        self.diagnostics.append(error("OML012", Span(at, end), message))
