"""The YAML reader: libyaml, or its stand-in in Python, and its complaints in our terms."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import yaml
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

HAS_LIBYAML: bool = yaml.__with_libyaml__


class PureParser(Reader, Scanner, Parser):
    """PyYAML's own reader, for Pythons without libyaml."""

    def __init__(self, stream: str) -> None:
        """Read ``stream``."""
        Reader.__init__(self, stream)
        Scanner.__init__(self)
        Parser.__init__(self)


def _parser_class() -> Any:
    if not HAS_LIBYAML:
        return PureParser
    from yaml._yaml import CParser

    return CParser


_Parser = _parser_class()
_TABS_OF_NOTHING = re.compile(r"\t[ \t]*+(?=[#\r\n]|\Z)")
MOST_TABS = 20


class Trouble(NamedTuple):
    """What the YAML reader could not read: its words, the offset it blames, and what it was reading."""

    problem: str
    offset: int
    context: str


def parser_of(masked: str) -> Any:
    """A YAML reader at the start of ``masked``; it gives tokens or events."""
    return _Parser(masked)


def trouble_of(error: yaml.YAMLError) -> Trouble:
    """The reader's complaint in our terms."""
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        return Trouble(error.problem or error.context or "", mark.index if mark else 0, error.context or "")
    return Trouble(str(error), getattr(error, "position", 0) or 0, "")


def without_tabs_of_nothing(masked: str, at: int) -> str | None:
    """``masked`` with spaces for the tabs at ``at``, when nothing but a comment or the line's end follows; else None.

    YAML 1.2 allows tabs on empty lines and before comments; libyaml does not.
    """
    tabs = _TABS_OF_NOTHING.match(masked, at)
    return None if tabs is None else masked[: tabs.start()] + " " * len(tabs.group()) + masked[tabs.end() :]
