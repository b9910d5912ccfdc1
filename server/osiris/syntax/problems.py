"""What the YAML reader says, in plain words."""

from __future__ import annotations

from osiris.syntax.diagnostic import Diagnostic
from osiris.syntax.findings import error
from osiris.syntax.text import Span
from osiris.syntax.yaml_reader import Trouble

_PLAIN_WORDS = (
    ("could not find expected ':'", "a key without a colon, or a line that is indented wrongly"),
    ("mapping values are not allowed", "a `key: value` where none can be; a quote or a line end may be missing"),
    ("did not find expected key", "something that is no key stands among the keys of a mapping"),
    ("did not find expected '-' indicator", "something that is no list item stands among the items of a list"),
    ("did not find expected <document start>", "something stands to the left of where its neighbours start"),
    ("did not find expected ',' or ']'", "a comma or the closing `]` of a list is missing"),
    ("did not find expected ',' or '}'", "a comma or the closing `}` of a mapping is missing"),
    ("did not find expected node content", "a value is missing"),
    ("found character that cannot start any token", "a value starts with a character that only quotes allow"),
    ("found unexpected end of stream", "a quote is never closed"),
    ("found unknown escape character", "a backslash in double quotes starts no known escape"),
    ("block sequence entries are not allowed", "a list starts where none can be"),
    ("found undefined tag handle", "a tag with an unknown prefix"),
    ("found duplicate anchor", "an anchor is defined twice"),
    ("found a tab character", "a tab stands where only spaces may"),
    ("did not find expected alphabetic or numeric character", "an anchor or alias without a name"),
)


def explain(trouble: Trouble, text: str) -> Diagnostic:
    """OML001 at the place that the YAML reader blames."""
    words = next((plain for theirs, plain in _PLAIN_WORDS if theirs in trouble.problem), trouble.problem)
    at = min(max(trouble.offset, 0), len(text))
    # The end of the text is no place to look at; the last thing written is.
    while at > 0 and (at >= len(text) or text[at] in " \t\r\n"):
        at -= 1
    span = Span(at, min(at + 1, len(text)))
    return error("OML001", span, f"This is not valid YAML: {words or 'it cannot be read'}. Correct it here or above.")
