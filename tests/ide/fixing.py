"""Applying edits as editors do, and checking the examples of the codes in the project that they are written for."""

from __future__ import annotations

from collections.abc import Iterable

from osiris.language.analysis import Analysis, analyse
from osiris.language.connections import parse_connections
from osiris.language.environment import StaticEnvironment
from osiris.syntax.code_examples import CONNECTIONS, FILES, PIPELINES
from osiris.syntax.diagnostic import TextEdit


def applied(text: str, edits: Iterable[TextEdit]) -> str:
    """As editors do it: edits refer to the text as it was, and insertions at one place keep their order."""
    for edit in sorted(edits, key=lambda e: e.span)[::-1]:
        text = text[: edit.span.start] + edit.new_text + text[edit.span.end :]
    return text


def example_environment(text: str) -> StaticEnvironment:
    """The project around an example of ``osiris.syntax.code_examples``."""
    alone = text.startswith("# no connections file")
    connections = None if alone else parse_connections(CONNECTIONS)
    return StaticEnvironment(connections=connections, files=frozenset(FILES), pipelines=PIPELINES)


def examined(text: str) -> Analysis:
    """The analysis of an example, or of a variant of one, in its project and with the options in its first line."""
    first = text.splitlines()[0] if text else ""
    profile = first.split()[2] if first.startswith("# --profile ") else None
    params = dict([first.split()[2].split("=")]) if first.startswith("# --param ") else None
    return analyse(text, example_environment(text), profile=profile, params=params)
