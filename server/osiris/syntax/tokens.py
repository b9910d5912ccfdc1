"""The tokens of valid YAML, with their exact places: what a formatter needs to know beyond the tree."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import yaml

from osiris.syntax.block import block_content
from osiris.syntax.masking import mask
from osiris.syntax.yaml_reader import MOST_TABS, parser_of, trouble_of, without_tabs_of_nothing


class Kind(enum.Enum):
    """What a token is. The first group has no width: it opens and closes block collections, and announces keys."""

    BLOCK_MAP = "BlockMappingStart"
    BLOCK_LIST = "BlockSequenceStart"
    BLOCK_END = "BlockEnd"
    KEY = "Key"
    END = "StreamEnd"

    COLON = "Value"
    DASH = "BlockEntry"
    COMMA = "FlowEntry"
    OPEN_MAP = "FlowMappingStart"
    OPEN_LIST = "FlowSequenceStart"
    CLOSE_MAP = "FlowMappingEnd"
    CLOSE_LIST = "FlowSequenceEnd"
    ANCHOR = "Anchor"
    ALIAS = "Alias"
    TAG = "Tag"
    SCALAR = "Scalar"


_KINDS: dict[str, Kind] = {f"{kind.value}Token": kind for kind in Kind}


class Token(NamedTuple):
    """A token from ``start`` to ``end``. ``style`` is the indicator of a scalar that is not plain (``'"|>``).

    A block scalar ends behind its last line of content, that line's own end left out.
    """

    kind: Kind
    start: int
    end: int
    style: str = ""


def tokenize(text: str) -> list[Token] | None:
    """The tokens of ``text``; None when it is not valid YAML, or uses ``?`` keys or directives."""
    return _without_tabs(mask(text).text, lambda masked: _tokens(text, masked))


Event = tuple[Any, ...]


def meaning(text: str) -> list[Event] | None:
    """All that ``text`` says to a YAML reader but where: values, styles, anchors, aliases and tags, in order.

    None when it is not valid YAML. Two texts with the same meaning differ in blanks and comments at most.
    """
    return _without_tabs(mask(text).text, _events)


_Result = TypeVar("_Result")


def _without_tabs(masked: str, read: Callable[[str], _Result]) -> _Result | None:
    for _ in range(MOST_TABS):
        try:
            return read(masked)
        except yaml.YAMLError as error:
            mended = without_tabs_of_nothing(masked, trouble_of(error).offset)
            if mended is None:
                return None
            masked = mended
    return None


def _tokens(text: str, masked: str) -> list[Token] | None:
    get_token = parser_of(masked).get_token
    found: list[Token] = []
    while (token := get_token()) is not None:
        name = type(token).__name__
        if name == "StreamStartToken":
            continue
        kind = _KINDS.get(name)
        start, end = token.start_mark.index, token.end_mark.index
        if kind is None or (kind is Kind.KEY and end > start):
            return None
        if kind is Kind.SCALAR:
            style = "" if token.plain else token.style
            if style in ("|", ">"):
                end = block_content(text, start, end, token.value).end
            found.append(Token(kind, start, end, style or ""))
        else:
            found.append(Token(kind, start, end))
            if kind is Kind.END:
                break
    return found


def _events(source: str) -> list[Event]:
    get_event = parser_of(source).get_event
    found: list[Event] = []
    while (event := get_event()) is not None:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            found.append((event.value, event.style, event.anchor, event.tag))
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            found.append((kind, bool(event.flow_style), event.anchor, event.tag))
        elif kind is yaml.AliasEvent:
            found.append((kind, event.anchor))
        else:
            found.append((kind,))
            if kind is yaml.StreamEndEvent:
                break
    return found
