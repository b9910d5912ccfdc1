"""The layout of OML: what is written, and how it stands after formatting."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from osiris.ide.formatting.documents import format_document, format_range
from osiris.language.edits import applied
from osiris.syntax.document import parse
from osiris.syntax.text import Span
from yaml_texts import FILES

SERVER = Path(__file__).parents[2] / "server" / "osiris"


def formatted(text: str) -> str:
    return applied(text, format_document(parse(text)).edits)


def assert_layout(written: str, expected: str) -> None:
    result = formatted(dedent(written).lstrip("\n"))
    assert result == dedent(expected).lstrip("\n")
    assert formatted(result) == result


@pytest.mark.parametrize("text", FILES)
def test_the_examples_are_formatted(text: str) -> None:
    assert formatted(text) == text


def test_what_osiris_init_makes_is_formatted() -> None:
    for path in (SERVER / "cli/starter").rglob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        assert formatted(text) == text, path


def test_indentation_is_two_spaces_also_of_lists() -> None:
    assert_layout(
        """
        steps:
        - id: a
          needs:
          - b
          - c
          config:
              columns:
                 - x
                 -   y: 1
                     z: 2
                 - - 1
                   - 2
        """,
        """
        steps:
          - id: a
            needs:
              - b
              - c
            config:
              columns:
                - x
                - y: 1
                  z: 2
                - - 1
                  - 2
        """,
    )


def test_one_space_behind_colons_and_dashes_and_none_before() -> None:
    assert_layout(
        """
        name  :   x
        retry:\t3
        steps:
          -    id:   a
               mode :  read
        """,
        """
        name: x
        retry: 3
        steps:
          - id: a
            mode: read
        """,
    )


def test_at_most_one_empty_line_and_none_at_the_ends_or_below_a_key() -> None:
    assert_layout(
        "\n\nname: x   \n\n\n\nsteps:\n\n  - id: a\n    config:\n\n      x: 1\n\n   \n\n  - id: b\n\n\n",
        "name: x\n\nsteps:\n  - id: a\n    config:\n      x: 1\n\n  - id: b\n",
    )


def test_steps_without_an_empty_line_between_them_get_none() -> None:
    text = "steps:\n  - id: a\n  - id: b\n"

    assert formatted(text) == text


def test_comments_move_with_what_they_belong_to() -> None:
    assert_layout(
        """
        # The pipeline.
        steps:
        # The first step.
        - id: a
          config:
              # The path.
              path: x
              # delimiter: ";"
          # About the retry.
          retry: 3
              # deeper than anything
          needs:
          - b
          # - c
          # about a's end
        # The second step.
        - id: b
          config:
            # all of it is off
          # mode: read
        # What follows the steps.
        x-after: 1
        """,
        """
        # The pipeline.
        steps:
          # The first step.
          - id: a
            config:
              # The path.
              path: x
              # delimiter: ";"
            # About the retry.
            retry: 3
            # deeper than anything
            needs:
              - b
              # - c
            # about a's end
          # The second step.
          - id: b
            config:
              # all of it is off
            # mode: read
        # What follows the steps.
        x-after: 1
        """,
    )


def test_comments_behind_values_keep_their_column_among_each_other() -> None:
    text = "name: x          # unique\ndescription: y   # free\nparams:  # of all steps\n  a: 1\n"

    assert formatted(text) == text


def test_blanks_between_the_parts_of_flow_collections() -> None:
    assert_layout(
        """
        a: {a : 1,"b":2 ,c: }
        b: [ 1,2 , 3 ]
        c: [ ]
        d: { }
        e: [{x: [ 1,2]}, &k  !!str  y, *k ]
        """,
        """
        a: {a: 1, "b": 2, c: }
        b: [1, 2, 3]
        c: []
        d: {}
        e: [{x: [1, 2]}, &k !!str y, *k]
        """,
    )


def test_flow_collections_of_several_lines_stay_on_them() -> None:
    assert_layout(
        """
        columns: [
              a,   # the key

                  # the rest
           b, c
        ]
        dtype: {
          a: int,
            b: [x,
               y]
          }
        needs: [a,
          b]
        """,
        """
        columns: [
          a,   # the key

          # the rest
          b, c
        ]
        dtype: {
          a: int,
          b: [x,
              y]
          }
        needs: [a,
                b]
        """,
    )


def test_the_lines_of_a_block_scalar_move_together() -> None:
    assert_layout(
        """
        steps:
        - config:
             query: |
                  SELECT a,
                         b   -- two blanks follow:\x20\x20

                  FROM t
        """,
        """
        steps:
          - config:
              query: |
                SELECT a,
                       b   -- two blanks follow:\x20\x20

                FROM t
        """,
    )


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        # The number counts from the key, so that the first line may start with blanks.
        ("a:\n   b: |2\n        x\n       y\n", "a:\n  b: |2\n       x\n      y\n"),
        # Empty lines at the end are text behind a plus, and only there.
        ("a: |+\n   x\n\n\nb: |\n   y\n\n\n\nc: 1\n", "a: |+\n  x\n\n\nb: |\n  y\n\nc: 1\n"),
        ("a: |+\n  x\n\n\n", "a: |+\n  x\n\n\n"),
        ("a: >-  # folded\n    x\n      y\n\n", "a: >-  # folded\n  x\n    y\n"),
        # Blanks at the start of the text, and a line of more blanks than the indentation.
        ("a: |\n\n     x\n        \n     y\n", "a: |\n\n  x\n     \n  y\n"),
        # A line end at the end of the file would be one more of the text.
        ("a: |\n    x", "a: |\n  x"),
        ("a: |-\n    x", "a: |-\n  x\n"),
    ],
)
def test_a_block_scalar_keeps_its_header_and_its_text(written: str, expected: str) -> None:
    assert formatted(written) == expected


def test_plain_and_quoted_texts_of_several_lines() -> None:
    assert_layout(
        r"""
        a:
         long
            longer

         end
        b: "x\
               y
             z"
        """,
        r"""
        a:
          long
             longer

          end
        b: "x\
            y
          z"
        """,
    )


def test_anchors_aliases_tags_and_quotes_are_kept() -> None:
    text = "x-base: &base\n  mode: read\nsteps:\n  - <<: *base\n    id: !!str 1\n    'mode': \"it's\"\n"

    assert formatted(text) == text


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends_and_byte_order_mark_are_kept(line_end: str) -> None:
    written = "\ufeff\nname:  x  \n\n\nsteps:\n- id: a".replace("\n", line_end)

    assert formatted(written) == "\ufeffname: x\n\nsteps:\n  - id: a\n".replace("\n", line_end)


def test_markers_and_what_stands_behind_them_are_kept() -> None:
    text = "%YAML 1.2\n---\n\n\nname:   x\n\n\n...\n  what follows   \n"

    assert formatted(text) == "%YAML 1.2\n---\nname: x\n\n...\n  what follows   \n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[ 1,2 ]\n",  # no mapping at the top
        "- a\n-  b\n",
        "{name:  x}\n",
        "just  text\n",
        "<<<<<<< ours\nname:  x\n=======\nname:  y\n>>>>>>> theirs\n",
        "a:\n\tb: 1\n",  # a tab
        "? a\n:  b\n",
        "\0\x01",
    ],
)
def test_what_is_no_plain_pipeline_is_left_as_it_is(text: str) -> None:
    assert formatted(text) == text


def test_a_broken_step_keeps_its_layout_and_its_column_and_the_others_are_formatted() -> None:
    assert_layout(
        """
        name:   x
        steps:
        -   id:  a
            mode :  read
        -   id:  "b
        -   id:  c
        """,
        """
        name: x
        steps:
        - id: a
          mode: read
        -   id:  "b
        - id: c
        """,
    )


def test_a_half_typed_key_leaves_the_other_steps_whole() -> None:
    assert_layout(
        """
        steps:
          -  id: a
          -  id: b
             mod
          -  id: c
        """,
        """
        steps:
          - id: a
          -  id: b
             mod
          - id: c
        """,
    )


def test_comments_alone_are_a_document() -> None:
    assert formatted("\n   # nothing yet  \n\n\n# more") == "# nothing yet\n\n# more\n"


def test_the_connections_file_has_the_same_layout() -> None:
    assert_layout(
        """
        connections:
            sqlite:
                shop: { path: data/shop.db,default: true }   # the shop
        """,
        """
        connections:
          sqlite:
            shop: {path: data/shop.db, default: true}   # the shop
        """,
    )


# -- a range: what is selected stands between <| and |>


def formatted_range(marked: str) -> str:
    marked = dedent(marked).lstrip("\n")
    start, end = marked.index("<|"), marked.index("|>") - 2
    text = marked.replace("<|", "").replace("|>", "")
    return applied(text, format_range(parse(text), Span(start, end)).edits)


def test_only_the_selected_lines_change() -> None:
    assert formatted_range("""
        name:   x
        steps:
          - id:   a
        <|    mode:   read
        |>    retry:   3
    """) == dedent("""\
        name:   x
        steps:
          - id:   a
            mode: read
            retry:   3
    """)


def test_lines_that_cannot_move_alone_take_their_step_along() -> None:
    assert formatted_range("""
        name:   x
        steps:
          -   id:   a
              m<|od|>e: read
          -   id:   b
    """) == dedent("""\
        name:   x
        steps:
          - id: a
            mode: read
          -   id:   b
    """)


def test_a_selection_leaves_the_column_of_the_steps_to_all_of_them() -> None:
    assert formatted_range("steps:\n<|- id:   a\n|>- id:   b\n") == "steps:\n- id: a\n- id:   b\n"
    assert formatted_range("<|steps:\n- id:   a\n- id:   b\n|>") == "steps:\n  - id: a\n  - id: b\n"


def test_an_empty_selection_is_its_line() -> None:
    assert formatted_range("name:   x\nver<||>sion:   y\n") == "name:   x\nversion: y\n"
