"""What stands at a cursor: the role of the place, the way to it, and the text that is there."""

from __future__ import annotations

import pytest
from marked import cursor

from osiris.ide.cursor import Role
from osiris.syntax.text import Span

CASES = [
    ("an empty document", "<|>", Role.KEY, (), ""),
    ("a half-typed key at the top", "na<|>", Role.KEY, (), "na"),
    ("below the last section", "name: x\n<|>", Role.KEY, (), ""),
    ("a list that has not begun", "steps:\n  <|>", Role.KEY, ("steps",), ""),
    ("behind the dash of a step", "steps:\n  - <|>", Role.ITEM, ("steps", 0), ""),
    ("directly behind the dash", "steps:\n  -<|>", Role.ITEM, ("steps", 0), ""),
    ("on a key", "steps:\n  - i<|>d: a", Role.KEY, ("steps", 0), "id"),
    ("a value that is not there yet", "steps:\n  - id: <|>", Role.VALUE, ("steps", 0, "id"), ""),
    ("a value in front of a comment", "steps:\n  - mode: re<|>ad # x", Role.VALUE, ("steps", 0, "mode"), "read"),
    ("the next key of a step", "steps:\n  - id: a\n    <|>", Role.KEY, ("steps", 0), ""),
    ("the column of the dashes", "steps:\n  - id: a\n  <|>", Role.DASH, ("steps",), ""),
    ("the left margin below the last step", "steps:\n  - id: a\n<|>", Role.KEY, (), ""),
    ("the left margin between two steps", "steps:\n  - id: a\n<|>\n  - id: b", Role.DASH, ("steps",), ""),
    ("dashes in the column of their key", "steps:\n- id: a\n<|>", Role.DASH, ("steps",), ""),
    ("a map that has not begun", "steps:\n  - config:\n      <|>", Role.KEY, ("steps", 0, "config"), ""),
    ("beside a key whose map has not begun", "steps:\n  - config:\n    <|>", Role.KEY, ("steps", 0), ""),
    ("too deep below a plain value", "steps:\n  - id: a\n        <|>", Role.KEY, ("steps", 0), ""),
    ("a list in brackets", "steps:\n  - needs: [a, <|>]", Role.VALUE, ("steps", 0, "needs", 1), ""),
    (
        "brackets that are never closed",
        "steps:\n  - needs: [<|>\n    mode: read",
        Role.VALUE,
        ("steps", 0, "needs", 0),
        "",
    ),
    ("an item", "steps:\n  - needs:\n      - a\n      - b<|>", Role.ITEM, ("steps", 0, "needs", 1), "b"),
    ("the next item", "steps:\n  - needs:\n      - a\n      <|>", Role.DASH, ("steps", 0, "needs"), ""),
    ("a map in braces", "steps:\n  - config: {pa<|>}", Role.KEY, ("steps", 0, "config"), "pa"),
    ("a value in braces", "steps:\n  - config: {path: a<|>, x: 1}", Role.VALUE, ("steps", 0, "config", "path"), "a"),
    ("steps in brackets", "steps: [{id: a, mo<|>}]", Role.KEY, ("steps", 0), "mo"),
    ("between quotes", 'steps:\n  - config:\n      path: "a<|>b"', Role.VALUE, ("steps", 0, "config", "path"), "ab"),
    (
        "an open quote",
        'steps:\n  - config:\n      path: "a<|>\n  - id: b',
        Role.VALUE,
        ("steps", 0, "config", "path"),
        "a",
    ),
    ("a comment", "name: x # a<|>b", Role.NOTHING, (), ""),
    (
        "a nested map",
        "steps:\n  - config:\n      dtype:\n        a: b\n        <|>",
        Role.KEY,
        ("steps", 0, "config", "dtype"),
        "",
    ),
    (
        "a half-typed key between others",
        "steps:\n  - id: a\n    mo<|>\n    config:\n      path: x",
        Role.KEY,
        ("steps", 0),
        "mo",
    ),
    ("a step behind a broken one", 'steps:\n  - id: "a\n  - id: b\n    mo<|>: read', Role.KEY, ("steps", 1), "mo"),
    ("the second of two steps", "steps:\n  - id: a\n\n  - id: b\n    <|>", Role.KEY, ("steps", 1), ""),
    ("line ends of Windows", "steps:\r\n  - id: a\r\n    mo<|>\r\n", Role.KEY, ("steps", 0), "mo"),
    ("a form feed in a text", "name: a\x0cb\nste<|>", Role.KEY, (), "ste"),
]


@pytest.mark.parametrize(("marked", "role", "path", "text"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_the_place_of_a_cursor(marked: str, role: Role, path: tuple[str | int, ...], text: str) -> None:
    found = cursor(marked)

    assert (found.role, found.path, found.text) == (role, path, text)


SQL = """
steps:
  - id: a
    config:
      query: |
        SELECT 1{0}
{1}    mode: read{2}
"""


def test_a_block_of_sql_is_text() -> None:
    found = cursor(SQL.format(" <|>", "", ""))

    assert (found.role, found.path) == (Role.TEXT, ("steps", 0, "config", "query"))


def test_an_indented_empty_line_below_sql_still_belongs_to_it() -> None:
    assert cursor(SQL.format("", "        <|>\n", "")).role is Role.TEXT


def test_an_empty_line_in_the_column_of_the_key_above_sql_is_the_next_key() -> None:
    found = cursor(SQL.format("", "      <|>\n", ""))

    assert (found.role, found.path, found.keys) == (Role.KEY, ("steps", 0, "config"), ("query",))


def test_the_keys_beside_a_cursor_are_known_on_both_sides() -> None:
    found = cursor("steps:\n  - id: a\n    <|>\n    mode: read\n    config: {}\n")

    assert found.keys == ("id", "mode", "config")


def test_a_key_that_stands_too_deep_is_moved_to_its_column() -> None:
    found = cursor("steps:\n  - id: a\n        <|>")

    assert (found.column, found.indent) == (4, (17, 25))


# -- what stands on the lines below


def test_a_line_above_the_first_item_belongs_to_its_list() -> None:
    found = cursor("steps:\n<|>\n  - id: a\n")

    assert (found.role, found.path, found.column, found.indent) == (Role.DASH, ("steps",), 2, Span(7, 7))


def test_a_line_above_the_first_key_belongs_to_its_map() -> None:
    assert cursor("params:\n<|>\n  day: 1\n").path == ("params",)
    assert cursor("params:\nd<|>\n  day: 1\n").path == ("params",)


def test_a_word_in_the_margin_above_a_step_is_no_key_of_the_top_level() -> None:
    assert cursor("steps:\n  - id: a\nc<|>\n  - id: b\n").role is Role.DASH
    assert cursor("steps:\nc<|>\n  - id: a\n").role is Role.DASH


def test_behind_a_key_whose_value_begins_below_nothing_can_be_typed() -> None:
    assert cursor("params:<|>\n  day: 1\n").role is Role.NOTHING
    assert cursor("steps:\n  - id: a\n    needs: <|>\n    - b\n").role is Role.NOTHING
    assert cursor("steps:\n  - id: a\n    mode: <|>\n    config: {}\n").role is Role.VALUE


def test_a_key_above_what_is_to_become_its_value() -> None:
    assert cursor("steps:\n  - id: a\n    con<|>\n      path: x\n").begun
    assert not cursor("steps:\n  - id: a\n    con<|>\n    mode: read\n").begun


def test_between_a_dash_and_its_key_and_on_the_line_of_a_comment_nothing_can_be_typed() -> None:
    assert cursor("steps:\n  -<|> id: a\n").role is Role.NOTHING
    assert cursor("name: x\n<|>  # a remark\n").role is Role.NOTHING
    assert cursor("name: x\n# <|>").role is Role.NOTHING


def test_a_tab_counts_as_one_level_and_is_mended_by_what_is_taken() -> None:
    found = cursor("steps:\n  - id: a\n\t\tmo<|>\n")

    assert (found.role, found.path, found.column, found.indent) == (Role.KEY, ("steps", 0), 4, Span(17, 19))
    assert cursor("steps:\n  - id: a\n\t\tconfig:\n\t\t\tpath: <|>\n").path == ("steps", 0, "config", "path")
    assert cursor("steps:\n\t- id: a\n\t\tmode: <|>\n").path == ("steps", 0, "mode")


def test_within_the_blanks_of_an_empty_line_what_is_typed_goes_to_the_cursor() -> None:
    found = cursor("steps:\n  - id: a\n    <|>      \n")

    assert (found.role, found.path, found.token) == (Role.KEY, ("steps", 0), Span(21, 21))
