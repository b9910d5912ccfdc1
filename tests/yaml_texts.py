"""Texts to try: samples of YAML, edits of them, and documents that are made up and valid."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

SOAK = 40 if os.environ.get("OSIRIS_SOAK") else 1
EXAMPLES = Path(__file__).parents[1] / "examples"

SAMPLES = [
    """\
# A pipeline with everything in it.
oml_version: "0.1.0"
name: all  # a comment
x-defaults: &defaults {mode: read, retry: 3}
params:
  a: {type: integer, default: 5}
  b: [1, 2,
    3]
description: >
  folded
  text

    more
  end


steps:
  # the first
- id: a
  component: "du\\x41ck\\
    db"
  needs: []
  config:
    query: |-
      SELECT 1 -- x

      FROM t
    # c
    list:
    - a
    - b: c
      d:
- <<: *defaults
  id: b
  config: {
    a: 1, 'b': [x, {y: z}]
  }
-
  id: 'it''s

    c'
  multi: line
    plain text
  ? q
  : r
last:
""",
    'steps:\n  - id: a\n    x: "multi\n  - not a step\n  "\n  - id: b\nz: [\na,\nb\n]\n',
    '{"name": "x", "steps": [{"id": "a"},\n {"id": "b", "c": null}]}',
    "---\r\nname: 😀 x\r\nsteps:\r\n  - id: a\r\n    q: |+\r\n      1\r\n\r\n  - id: b\r\n...\r\n",
    "  name: a\n  steps:\n    - id: 1\n    -   id: 2\n        b: >-\n          x\n\n    - 3\n",
    "- a\n- b: c\n  d: e\n-\n  - f\n",
]
FILES = [path.read_text(encoding="utf-8") for path in sorted(EXAMPLES.rglob("*.oml*")) if path.is_file()]
TOKENS = [
    *"'\"[]{}:,#|>&*!%@`-?~\\\n\r\t x1",
    *(
        ": ",
        "- ",
        "  ",
        " #",
        "&a ",
        "*a",
        "<<: ",
        "? ",
        "---\n",
        "...\n",
        "\r\n",
        "|+\n",
        ">2\n",
        "a: b",
        "\n  - ",
        "\n    ",
    ),
    *("steps:\n", "  - id: x\n", "comp", "${params.x}", "<<<<<<<\n", "=======\n", ">>>>>>>\n", "!!int "),
    *("\x85", "\u2028", "\u2029", "\ufeff", "\0", "\x0c", "\ud800", "😀", "é"),
]
YAML_TEXT = st.lists(st.sampled_from(TOKENS), max_size=40).map("".join)


@st.composite
def edited(draw: st.DrawFn) -> list[str]:
    """A sample and versions of it, each some edits further on."""
    text = draw(st.sampled_from(SAMPLES + FILES))
    versions = [text]
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from([0, 0, 0, 1, 2, 7, 30])))
        text = text[:start] + draw(st.sampled_from(["", *TOKENS])) + text[end:]
        versions.append(text)
    return versions


def bounded(count: int) -> settings:
    """The same examples in every run; new ones, and many more, in a soak run."""
    return settings(
        max_examples=count * SOAK, deadline=None, derandomize=SOAK == 1, suppress_health_check=list(HealthCheck)
    )


PLAIN = st.sampled_from(
    ["a", "b c", "x: y"[:1], "1", "null", "http://x", "a#b", "-x", "ü 😀", "${p.x}", "yes", "a\u2028b", "n\x85l"]
)
ANY_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]) | st.sampled_from("\n '\"\\:#\x85\u2028")
)


@st.composite
def scalars(draw: st.DrawFn, indent: int, flow: bool) -> str:
    """A scalar as it may stand behind a key or dash."""
    style = draw(st.sampled_from(["plain", "single", "double", "lines"] + ([] if flow else ["literal", "folded"])))
    if style == "plain":
        return draw(PLAIN)
    text = draw(ANY_TEXT.filter(lambda t: "\ufeff" not in t and not {"\ufffe", "\uffff"} & set(t)))
    if style == "single":
        return "'" + text.replace("\n", " ").replace("'", "''") + "'"
    if style == "double":
        escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\x85": "\\N", "😀": "\\U0001F600"}
        return '"' + "".join(escapes.get(char, char) for char in text) + '"'
    pad = " " * (indent + 2)
    words = draw(st.lists(PLAIN, min_size=1, max_size=4))
    gap = draw(st.sampled_from(["\n", "\n\n"]))
    if style == "lines":
        quote = draw(st.sampled_from(["'", '"']))
        return quote + (gap + pad).join(words) + quote
    header = draw(st.sampled_from(["", "-", "+", "2", "2-"]))
    end = draw(st.sampled_from(["", "\n", "\n\n"]))
    return ("|" if style == "literal" else ">") + header + "\n" + pad + (gap + pad).join(words) + end


@st.composite
def nodes(draw: st.DrawFn, indent: int, depth: int) -> str:
    """What may stand behind ``key:`` or ``-`` at this indent; starts with a blank or a line end."""
    kinds = ["scalar", "scalar", "empty", "flow"] + (["list", "map", "map"] if depth else [])
    kind = draw(st.sampled_from(kinds))
    anchor = draw(st.sampled_from(["", "", "", " &k", " !!str"])) if kind == "scalar" else ""
    comment = draw(st.sampled_from(["", "", "  # note: 'x"]))
    if kind == "empty":
        return comment
    if kind == "scalar":
        return anchor + " " + draw(scalars(indent, flow=False))
    if kind == "flow":
        items = draw(st.lists(scalars(indent, flow=True), max_size=3))
        gap = draw(st.sampled_from([", ", ",\n" + " " * (indent + 3)]))
        if draw(st.booleans()):
            return " [" + gap.join(items) + "]" + comment
        return " {" + gap.join(f"k{n}: {item}" for n, item in enumerate(items)) + "}" + comment
    inner = indent + draw(st.sampled_from([2, 4])) if kind == "map" else indent + draw(st.sampled_from([0, 2]))
    return comment + "\n" + draw(blocks(kind, inner, depth - 1))


@st.composite
def blocks(draw: st.DrawFn, kind: str, indent: int, depth: int) -> str:
    """The lines of a block list or mapping."""
    lines: list[str] = []
    for number in range(draw(st.integers(1, 4))):
        head = f"key{number}:" if kind == "map" else "-"
        lines.append(" " * indent + head + draw(nodes(indent, depth)))
        if draw(st.integers(0, 5)) == 0:
            lines.append(draw(st.sampled_from(["", " " * indent + "# between", "# at the margin", "   "])))
    return "\n".join(lines)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A valid document with steps."""
    indent = draw(st.sampled_from([0, 2, 3]))
    dashes = draw(st.lists(nodes(indent, 2), min_size=1, max_size=4))
    steps = "\n".join(" " * indent + "-" + node for node in dashes)
    before, after = draw(nodes(0, 2)), draw(nodes(0, 1))
    start = draw(st.sampled_from(["", "---\n", "# first\n", "\n\n"]))
    return f"{start}first:{before}\nsteps:\n{steps}\nlast:{after}" + draw(st.sampled_from(["", "\n", "\n\n# end\n"]))
