"""Steps in which a key, a quote or a bracket is broken: the text with what is marked, what is kept, the codes."""

from __future__ import annotations

from syntax.marked_text import Case

WORDS: dict[str, Case] = {
    "a half-typed key": (
        """\
  - id: x
    ⟦comp⟧
    mode: read
""",
        {"id": "x", "comp": None, "mode": "read"},
        ["OML004"],
    ),
    "a half-typed key at the end": (
        """\
  - id: x
    mode: read
    ⟦need⟧
""",
        {"id": "x", "mode": "read", "need": None},
        ["OML004"],
    ),
    "a key without its colon above nested keys": (
        """\
  - id: x
    ⟦config⟧
      query: 1
    mode: read
""",
        {"id": "x", "config": {"query": 1}, "mode": "read"},
        ["OML004"],
    ),
    "a key without its colon before a value": (
        """\
  - id: x
    ⟦mode⟧ read
    needs: [first]
""",
        {"id": "x", "mode": "read", "needs": ["first"]},
        ["OML004"],
    ),
    "a key without its colon in braces": (
        """\
  - {id: x, ⟦mode⟧}
""",
        {"id": "x", "mode": None},
        ["OML004"],
    ),
    "a comma in a text without quotes in braces": (
        """\
  - id: x
    config: {query: SELECT a, ⟦b FROM df⟧}
""",
        {"id": "x", "config": {"query": "SELECT a", "b FROM df": None}},
        ["OML004"],
    ),
    "a first key without its colon": (
        """\
  - ⟦id⟧ x
    mode: read
""",
        {"id": "x", "mode": "read"},
        ["OML004"],
    ),
    "a half-typed first key": (
        """\
  - ⟦i⟧
    mode: read
""",
        {"i": None, "mode": "read"},
        ["OML004"],
    ),
    "a half-typed key below a key of config": (
        """\
  - id: x
    config:
      query: 1
      ⟦con⟧
    mode: read
""",
        {"id": "x", "config": {"query": 1, "con": None}, "mode": "read"},
        ["OML004"],
    ),
    "no space behind a colon": (
        """\
  - id: x
    ⟦mode⟧:read
    needs: [first]
""",
        {"id": "x", "mode": "read", "needs": ["first"]},
        ["OML004"],
    ),
    "an unclosed double quote": (
        """\
  - id: x
    component: ⟦"⟧abc
    mode: read
""",
        {"id": "x", "component": "abc", "mode": "read"},
        ["OML003"],
    ),
    "an unclosed double quote above text in double quotes": (
        """\
  - id: x
    component: ⟦"⟧abc
    mode: "read"
""",
        {"id": "x", "component": "abc", "mode": "read"},
        ["OML003"],
    ),
    "an unclosed single quote": (
        """\
  - id: x
    component: ⟦'⟧abc
    mode: read
    description: 'it is'
""",
        {"id": "x", "component": "abc", "mode": "read", "description": "it is"},
        ["OML003"],
    ),
    "a quote that opens before a key": (
        """\
  - ⟦"⟧id: x
    mode: read
""",
        {"id": "x", "mode": "read"},
        ["OML003"],
    ),
    "text behind a closing quote": (
        """\
  - id: x
    description: 'it'⟦s here'⟧
    mode: read
""",
        {"id": "x", "description": "it", "mode": "read"},
        ["OML001"],
    ),
    "an unclosed quote over several lines": (
        """\
  - id: x
    query: ⟦"⟧SELECT
      1
      FROM t
    mode: read
""",
        {"id": "x", "query": "SELECT 1 FROM t", "mode": "read"},
        ["OML003"],
    ),
    "an unclosed [": (
        """\
  - id: x
    needs: ⟦[⟧a, b
    mode: read
""",
        {"id": "x", "needs": ["a", "b"], "mode": "read"},
        ["OML003"],
    ),
    "an unclosed [ over several lines": (
        """\
  - id: x
    needs: ⟦[⟧
      a,
      b
    mode: read
""",
        {"id": "x", "needs": ["a", "b"], "mode": "read"},
        ["OML003"],
    ),
    "an unclosed {": (
        """\
  - id: x
    config: ⟦{⟧a: 1, b: c
    mode: read
""",
        {"id": "x", "config": {"a": 1, "b": "c"}, "mode": "read"},
        ["OML003"],
    ),
    "two unclosed brackets": (
        """\
  - id: x
    config: [⟦{⟧a: 1
    mode: read
""",
        {"id": "x", "config": [{"a": 1}], "mode": "read"},
        ["OML003"],
    ),
    "the wrong closing bracket": (
        """\
  - id: x
    needs: [a⟦}⟧
    mode: read
""",
        {"id": "x", "needs": ["a"], "mode": "read"},
        ["OML003"],
    ),
    "an unclosed quote in a list": (
        """\
  - id: x
    needs: [a, ⟦"⟧b, c]
    mode: read
""",
        {"id": "x", "needs": ["a", "b", "c"], "mode": "read"},
        ["OML003"],
    ),
    "a mapping that is just being typed": (
        """\
  - id: x
    inputs: ⟦{⟧df:
    mode: read
""",
        {"id": "x", "inputs": {"df": None}, "mode": "read"},
        ["OML003"],
    ),
    "a list that is just being typed": (
        """\
  - id: x
    needs: ⟦[⟧
    mode: read
""",
        {"id": "x", "needs": [], "mode": "read"},
        ["OML003"],
    ),
    "a placeholder without quotes in brackets": (
        """\
  - id: x
    inputs: {df: ⟦${a.df}⟧, n: 1}
    mode: read
""",
        {"id": "x", "inputs": {"df": "${a.df}", "n": 1}, "mode": "read"},
        ["OML001"],
    ),
    "a missing comma": (
        """\
  - id: x
    needs: ["a" ⟦"⟧b"]
    mode: read
""",
        {"id": "x", "needs": ["a", "b"], "mode": "read"},
        ["OML001"],
    ),
}
