"""The node of the tree that an offset stands in, in parts that could be read in full: where refactorings start."""

from __future__ import annotations

import re
from dataclasses import dataclass

from osiris.language.analysis import Analysis
from osiris.language.model import Step
from osiris.syntax.document import Document, Part, Placed
from osiris.syntax.lookup import part_at
from osiris.syntax.tree import Entry, Mapping, Node, Scalar, Sequence

Path = tuple[str | int, ...]

_MARK = re.compile(r"(?<![^\s\[{,])[&!]\S*\s+\Z")
_LONGEST_MARK = 200  # code points


@dataclass(frozen=True, slots=True, eq=False)
class TreePlace:
    """A place in a part; spans are relative to ``base``.

    ``path`` leads to the innermost node around the offset, from the step or from the top level. ``entry`` is the
    innermost entry, ``on_key`` whether the offset stands in its key; ``scalar`` the value that it stands in, if it is
    a single one; ``flow`` whether that is inside ``[]`` or ``{}``. ``step`` is None outside of steps.
    """

    base: int
    part: Part
    step: Step | None
    path: Path
    entry: Entry | None
    on_key: bool
    scalar: Scalar | None
    flow: bool


def tree_place(analysis: Analysis, offset: int) -> TreePlace | None:
    """What stands at ``offset``; None in parts that are broken, between parts, and inside aliases."""
    found = part_at(analysis.document, offset)
    if found is None or not found[0].part.intact:
        return None
    placed, index = found
    step = analysis.pipeline.steps[index] if index is not None else None
    return _descend(placed, step, offset - placed.base)


def scalar_at(document: Document, offset: int) -> Scalar | None:
    """The value around ``offset`` in a document of any kind; None on a key, and where ``tree_place`` gives None."""
    found = part_at(document, offset)
    if found is None or not found[0].part.intact:
        return None
    place = _descend(found[0], None, offset - found[0].base)
    return place.scalar if place is not None else None


def is_marked(text: str, scalar: Scalar) -> bool:
    """Whether a tag or an anchor stands in front of a scalar of the part with this text."""
    return _MARK.search(text, max(scalar.span.start - _LONGEST_MARK, 0), scalar.span.start) is not None


def _descend(placed: Placed, step: Step | None, at: int) -> TreePlace | None:
    node: Node = placed.part.node
    path: Path = ()
    entry: Entry | None = None
    on_key = flow = False
    while not isinstance(node, Scalar):
        if node.synthetic:
            return None
        flow = flow or node.flow
        inner: Node | None = None
        if isinstance(node, Sequence):
            for index, item in enumerate(node.items):
                if item.span.touches(at):
                    inner, path = item, (*path, index)
                    break
        else:
            found = _entry_at(node, at)
            if found is not None:
                entry, on_key, path = found, found.key.span.touches(at), (*path, found.key.text)
                inner = None if on_key else found.value
        if inner is None or not inner.span.touches(at):
            return TreePlace(placed.base, placed.part, step, path, entry, on_key, None, flow)
        node = inner
    if node.synthetic:
        return None
    return TreePlace(placed.base, placed.part, step, path, entry, on_key, node, flow)


def _entry_at(mapping: Mapping, at: int) -> Entry | None:
    for entry in mapping.entries:
        if not entry.synthetic and (entry.key.span.touches(at) or entry.value.span.touches(at)):
            return entry
    return None
