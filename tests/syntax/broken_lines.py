"""Steps in which lines stand wrong or belong to nothing: the text with what is marked, what is kept, the codes."""

from __future__ import annotations

from syntax.marked_text import Case

LINES: dict[str, Case] = {
    "a tab": (
        """\
  - id: x
⟦\t⟧component: a.b
    mode: read
""",
        {"id": "x", "component": "a.b", "mode": "read"},
        ["OML002"],
    ),
    "tabs below a key": (
        """\
  - id: x
    config:
⟦\t\t⟧query: 1
    mode: read
""",
        {"id": "x", "config": {"query": 1}, "mode": "read"},
        ["OML002"],
    ),
    "tabs throughout": (
        """\
  - id: x
⟦\t⟧config:
⟦\t\t⟧query: 1
⟦\t⟧mode: read
""",
        {"id": "x", "config": {"query": 1}, "mode": "read"},
        ["OML002", "OML002", "OML002"],
    ),
    "an over-indented key": (
        """\
  - id: x
    component: a.b
      ⟦mode⟧: read
    needs: [first]
""",
        {"id": "x", "component": "a.b", "mode": "read", "needs": ["first"]},
        ["OML005"],
    ),
    "an under-indented key": (
        """\
  - id: x
   ⟦component⟧: a.b
    mode: read
""",
        {"id": "x", "component": "a.b", "mode": "read"},
        ["OML005"],
    ),
    "a key at the place of the dash": (
        """\
  - id: x
    config:
      a: 1
  ⟦mode⟧: read
    needs: [first]
""",
        {"id": "x", "config": {"a": 1}, "mode": "read", "needs": ["first"]},
        ["OML005"],
    ),
    "a key between two levels goes to its nearest neighbours": (
        """\
  - id: x
    config:
      a: 1
     ⟦b⟧: 2
    mode: read
""",
        {"id": "x", "config": {"a": 1, "b": 2}, "mode": "read"},
        ["OML005"],
    ),
    "a step's key between two levels goes to the step": (
        """\
  - id: x
    config:
      a: 1
     ⟦needs⟧: [first]
    mode: read
""",
        {"id": "x", "config": {"a": 1}, "needs": ["first"], "mode": "read"},
        ["OML005"],
    ),
    "a bare @": (
        """\
  - id: x
    connection: ⟦@⟧a.b  # why
    mode: read
""",
        {"id": "x", "connection": "@a.b", "mode": "read"},
        ["OML001"],
    ),
    "a bare ]": (
        """\
  - id: x
    connection: ⟦]⟧
    mode: read
""",
        {"id": "x", "connection": "]", "mode": "read"},
        ["OML001"],
    ),
    "a bare %": (
        """\
  - id: x
    connection: ⟦%⟧a
    mode: read
""",
        {"id": "x", "connection": "%a", "mode": "read"},
        ["OML001"],
    ),
    "a bare backtick": (
        """\
  - id: x
    table: ⟦`⟧a b`
    mode: read
""",
        {"id": "x", "table": "`a b`", "mode": "read"},
        ["OML001"],
    ),
    "two colons in one line": (
        """\
  - id: x
    description: a⟦:⟧ b: c
    mode: read
""",
        {"id": "x", "description": "a: b: c", "mode": "read"},
        ["OML001"],
    ),
    "a colon without a key": (
        """\
  - id: x
    ⟦:⟧ x
    mode: read
""",
        {"id": "x", "": "x", "mode": "read"},
        ["OML013"],
    ),
    "text behind a block header": (
        """\
  - id: x
    config:
      query: |⟦foo⟧
        SELECT 1
    mode: read
""",
        {"id": "x", "config": {"query": "SELECT 1\n"}, "mode": "read"},
        ["OML001"],
    ),
    "text on the line of a block header, and none below": (
        """\
  - id: x
    config:
      query: | ⟦SELECT 1⟧
    mode: read
""",
        {"id": "x", "config": {"query": "SELECT 1"}, "mode": "read"},
        ["OML001"],
    ),
    "an empty block above a half-typed key": (
        """\
  - id: x
    config:
      query: |
    ⟦mode⟧
""",
        {"id": "x", "config": {"query": ""}, "mode": None},
        ["OML004"],
    ),
    "an under-indented line of a block": (
        """\
  - id: x
    config:
      query: |
        SELECT 1
       ⟦FROM x⟧
    mode: read
""",
        {"id": "x", "config": {"query": "SELECT 1\nFROM x\n"}, "mode": "read"},
        ["OML005"],
    ),
    "a block at the margin of its key": (
        """\
  - id: x
    config:
      query: |
      ⟦SELECT 1⟧
      FROM x
    mode: read
""",
        {"id": "x", "config": {"query": "SELECT 1\nFROM x\n"}, "mode": "read"},
        ["OML005"],
    ),
    "a line of a block at the margin of the keys": (
        """\
  - id: x
    config:
      query: |
        SELECT 1
    ⟦FROM x⟧
    mode: read
""",
        {"id": "x", "config": {"query": "SELECT 1\n"}, "mode": "read"},
        ["OML001"],
    ),
    "two colons in a text of several lines": (
        """\
  - id: x
    query: SELECT a⟦:⟧ b
      FROM t
    mode: read
""",
        {"id": "x", "query": "SELECT a: b FROM t", "mode": "read"},
        ["OML001"],
    ),
    "an unknown escape": (
        """\
  - id: x
    path: "C:⟦\\d⟧ata"
    mode: read
""",
        {"id": "x", "path": "C:\\data", "mode": "read"},
        ["OML001"],
    ),
    "a list on the line of its key": (
        """\
  - id: x
    needs: ⟦-⟧ a
    mode: read
""",
        {"id": "x", "needs": "- a", "mode": "read"},
        ["OML001"],
    ),
    "no space behind a dash": (
        """\
  - id: x
    needs:
    - a
    ⟦-⟧b
    mode: read
""",
        {"id": "x", "needs": ["a", "b"], "mode": "read"},
        ["OML004"],
    ),
    "a stray bracket": (
        """\
  - id: x
    ⟦}⟧
    mode: read
""",
        {"id": "x", "mode": "read"},
        ["OML001"],
    ),
    "a repeated key": (
        """\
  - id: x
    ⟦id⟧: y
    mode: read
""",
        {"id": "x", "mode": "read"},
        ["OML006"],
    ),
    "two defects": (
        """\
  - id: ⟦"⟧x
    ⟦comp⟧
    mode: read
""",
        {"id": "x", "comp": None, "mode": "read"},
        ["OML003", "OML004"],
    ),
    "both sides of a merge": (
        """\
  - id: x
⟦<<<<<<< HEAD⟧
    mode: read
=======
    mode: write
>>>>>>> topic
    needs: [first]
""",
        {"id": "x", "mode": "read", "needs": ["first"]},
        ["OML001"],
    ),
}
