"""What folds: under each example, the first and the last line of every fold."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marked import analysed

from osiris.components.registry import ComponentRegistry
from osiris.ide.folding import Fold, folds
from osiris.language.analysis import Analyzer
from osiris.language.environment import StaticEnvironment
from osiris.syntax.document import PartCache, parse

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").rglob("*.oml.yaml"))


def folded(source: str, most: int | None = None) -> list[str]:
    """The folds as ``first line .. last line``, indented by depth."""
    text = dedent(source).lstrip("\n")
    lines = text.split("\n")
    return [
        f"{'  ' * fold.depth}{lines[fold.start].strip()} .. {lines[fold.end].strip()}"
        + (f" ({fold.kind})" if fold.kind else "")
        for fold in folds(analysed(text), most)
    ]


PIPELINE = """
    # Two lines
    # of comment.
    name: x
    params:
      least: {type: integer}
      since:
        type: string
    profiles:
      prod:
        params: {least: 9}

    steps:
      # One line.
      - id: a
        needs: [
          b,
        ]
        config:
          query: |
            SELECT 1

            FROM df  # a comment in the query

      - id: b  # last
    """


def test_steps_maps_blocks_and_runs_of_comments() -> None:
    assert folded(PIPELINE) == [
        "# Two lines .. # of comment. (comment)",
        "params: .. type: string",
        "  since: .. type: string",
        "profiles: .. params: {least: 9}",
        "  prod: .. params: {least: 9}",
        "steps: .. - id: b  # last",
        "  - id: a .. FROM df  # a comment in the query",
        "    needs: [ .. ]",
        "    config: .. FROM df  # a comment in the query",
        "      query: | .. FROM df  # a comment in the query",
    ]


def test_a_limit_keeps_the_outer_ones() -> None:
    assert folded(PIPELINE, most=5) == [
        "# Two lines .. # of comment. (comment)",
        "params: .. type: string",
        "  since: .. type: string",
        "profiles: .. params: {least: 9}",
        "steps: .. - id: b  # last",
    ]
    assert folded(PIPELINE, most=0) == []


def test_regions() -> None:
    assert folded(
        """
        steps:
          # region read
          - id: a
            mode: read
          # endregion
          - id: b
        # endregion
        """
    ) == [
        "steps: .. - id: b",
        "  # region read .. # endregion (region)",
        "    - id: a .. mode: read",
    ]


def test_a_broken_step_folds_and_so_do_its_neighbours() -> None:
    assert folded(
        """
        steps:
          - id: a
            config:
              qu
          - id: "b
            mode: read
          - id: c
            mode: read
        """
    ) == [
        "steps: .. mode: read",
        "  - id: a .. qu",
        "    config: .. qu",
        '  - id: "b .. mode: read',
        "  - id: c .. mode: read",
    ]


def test_what_stands_on_one_line_does_not_fold() -> None:
    assert folded("name: x\nsteps: [{id: a}]\n") == folded("") == folded("- a") == []


def test_what_is_kept_moves_with_an_edit() -> None:
    parts, analyzer = PartCache(), Analyzer(ComponentRegistry.builtin())
    before = dedent(PIPELINE).lstrip("\n")
    after = before.replace("name: x\n", "name: x\n\n\n").replace("- id: b", "- id: b\n    mode: read")
    for text in (before, after, before):
        analysis = analyzer.analyse(parse(text, parts), StaticEnvironment())

        assert folds(analysis) == folds(analysed(text))


def check(text: str) -> None:
    found = folds(analysed(text))
    around: list[Fold] = []
    for fold in found:
        assert 0 <= fold.start < fold.end
        while around and around[-1].end < fold.start:
            around.pop()
        assert not around or fold.end <= around[-1].end
        assert fold.depth == len(around)
        around.append(fold)
    assert len({fold.start for fold in found}) == len(found)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_every_beginning_of_an_example(example: Path) -> None:
    text = example.read_text(encoding="utf-8")

    for end in range(0, len(text) + 1, 11):
        check(text[:end])
        check(text[:end].replace("\n", "\r\n"))


PIECES = ["steps:", "- ", "id: a", "config: ", "query: |", "\n", "\n  ", "\n    ", "# c", "# region", "# endregion"]


@given(st.lists(st.sampled_from([*PIECES, "[", "]", "{", "}", '"', "'", "&a", "*a"]), max_size=40).map("".join))
def test_any_heap_of_pieces(text: str) -> None:
    check(text)
