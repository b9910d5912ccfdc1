"""Valid YAML to nodes, and where in it the text must not be cut."""

from __future__ import annotations

from collections.abc import Mapping as MappingABC

import yaml
from yaml.events import MappingEndEvent, MappingStartEvent, ScalarEvent, SequenceEndEvent, SequenceStartEvent

from osiris.syntax.aliases import Anchor
from osiris.syntax.limits import MAX_DEPTH
from osiris.syntax.text import Span
from osiris.syntax.tree_builder import Reading, TreeBuilder
from osiris.syntax.yaml_reader import MOST_TABS, parser_of, trouble_of, without_tabs_of_nothing


def read_strictly(
    source: str, masked: str, restore: dict[int, str] | None, outer: MappingABC[str, Anchor], alias_budget: int
) -> Reading:
    """Read ``masked``: ``source`` with what libyaml cannot take replaced, which ``restore`` undoes.

    ``outer`` holds the anchors that stand before this text, ``alias_budget`` how many nodes aliases may copy.
    """
    for _ in range(MOST_TABS):
        builder = TreeBuilder(source, restore, outer, alias_budget)
        try:
            builder.consume(parser_of(masked))
        except yaml.YAMLError as error:
            trouble = builder.reading.trouble = trouble_of(error)
            builder.reading.node = None
            mended = without_tabs_of_nothing(masked, trouble.offset)
            if mended is not None:
                masked = mended
                continue
        break
    return builder.reading


def opaque_ranges(masked: str) -> list[Span] | None:
    """The quoted scalars and flow collections of several lines in ``masked``; None when it is not valid YAML."""
    ranges: list[Span] = []
    depth = 0
    flows: list[tuple[int, int]] = []
    try:
        parser = parser_of(masked)
        while (event := parser.get_event()) is not None:
            kind = type(event)
            if kind is MappingStartEvent or kind is SequenceStartEvent:
                depth += 1
                if event.flow_style and not flows:
                    flows.append((depth, event.start_mark.index))
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                if flows and flows[-1][0] == depth:
                    ranges.append(Span(flows.pop()[1], event.end_mark.index))
                depth -= 1
            elif kind is ScalarEvent and event.style in ("'", '"') and event.start_mark.line < event.end_mark.line:
                ranges.append(Span(event.start_mark.index, event.end_mark.index))
            if depth > MAX_DEPTH:
                return None
    except yaml.YAMLError:
        return None
    return ranges
