"""What others print to a stream of ours: kept by whole lines, so that no secret gets through in pieces."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osiris.core import masked_lines
from osiris.core.masked_lines import MaskedLines
from osiris.core.secrets_masking import Masker

SECRET = "correct horse & staple"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "worker.log"


def test_a_secret_in_pieces_is_masked(log: Path) -> None:
    lines = MaskedLines(log, Masker([SECRET]))
    print("logged in with ", end="", file=lines)
    for character in SECRET:
        print(character, end="", file=lines, flush=True)
    print(", I hope", file=lines)

    assert log.read_text() == "logged in with ***, I hope\n"


def test_a_line_without_end_is_written_in_the_end(log: Path) -> None:
    lines = MaskedLines(log, Masker([SECRET]))
    lines.write(f"one\n{SECRET} and")
    assert log.read_text() == "one\n"

    lines.finish()
    lines.finish()

    assert log.read_text() == "one\n*** and\n"


def test_who_prints_nothing_makes_no_file(log: Path) -> None:
    MaskedLines(log, Masker()).finish()

    assert not log.exists()


def test_what_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    assert MaskedLines(tmp_path / "nowhere/worker.log", Masker()).write("a\n") == 2


def test_a_line_of_endless_length_is_written_in_parts(log: Path) -> None:
    lines = MaskedLines(log, Masker([SECRET]))
    for _ in range(200_000):
        lines.write("step, ")

    assert log.stat().st_size > masked_lines.LONGEST_LINE / 2


@given(
    text=st.lists(st.sampled_from([SECRET, "x", "\n", "password=", SECRET[:7]]), max_size=40).map("".join),
    cuts=st.lists(st.integers(0, 400), max_size=10),
)
def test_wherever_the_pieces_and_the_parts_end_no_secret_is_left(
    tmp_path_factory: pytest.TempPathFactory, text: str, cuts: list[int]
) -> None:
    log = tmp_path_factory.mktemp("prints") / "worker.log"
    lines = MaskedLines(log, Masker([SECRET]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(masked_lines, "LONGEST_LINE", 200)
        for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(text)], strict=True):
            lines.write(text[start:end])
        lines.finish()

    assert SECRET not in (log.read_text() if log.exists() else "")
    assert SECRET[-12:] not in (log.read_text() if log.exists() else "")
