"""Plain tables for people: aligned columns, no frames, nothing cut off."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from osiris.cli.source_view import columns, plain_line
from osiris.cli.streams import colour_wanted, paint


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print ``rows`` below ``head``, each column as wide as its widest cell."""
    cells = [[plain_line(cell) for cell in row] for row in rows]
    widths = [max(columns(row[i]) for row in [list(head), *cells]) for i in range(len(head))]
    click.echo(paint(_line(head, widths), "faint", on=colour_wanted(sys.stdout)))
    for row in cells:
        click.echo(_line(row, widths))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell + " " * (width - columns(cell)) for cell, width in zip(cells, widths, strict=True)).rstrip()
