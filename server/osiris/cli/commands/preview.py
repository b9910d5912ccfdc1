"""``osiris preview``: the first rows of a step."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from osiris.cli.arguments import existing_file, format_option, param_option, params_stdin_option, profile_option
from osiris.cli.compiling import compile_or_explain
from osiris.cli.failures import DID_NOT_WORK
from osiris.cli.streams import write_json
from osiris.cli.table import print_table

if TYPE_CHECKING:
    from osiris.execution.preview import Preview

_WIDEST = 60  # characters of a cell on a terminal
_NOTHING = "NULL"
_TO_QUOTE = re.compile(r'[",\r\n]')


@click.command()
@click.argument("file")
@click.argument("step")
@click.option(
    "--limit",
    type=click.IntRange(min=1, max=10_000),
    default=50,
    show_default=True,
    help="At most so many rows.",
)
@profile_option
@param_option
@params_stdin_option
@format_option("text", "json", "csv")
def command(
    file: str,
    step: str,
    limit: int,
    profile: str | None,
    params: dict[str, str],
    params_from_stdin: dict[str, Any],
    layout: str,
) -> int:
    """Show the first rows that STEP of the OML FILE yields.

    Only the steps run whose data it is made of, and none that writes: no target, no build/, no log. For a step that
    writes, the rows are shown that it would write.
    """
    from osiris.core.project import Project
    from osiris.execution.preview import preview
    from osiris.execution.process import Worker

    path = existing_file(file)
    project = Project.find(path)
    worker = Worker()  # it loads the engine while this process compiles
    try:
        given = {**params_from_stdin, **params}
        result = compile_or_explain(
            path, project, profile=profile, params=given, as_json=layout == "json", write=False, step=step
        )
        if result is None:
            return DID_NOT_WORK
        manifest: Any = result.manifest
        found = preview(manifest, step, root=project.root, limit=limit, params=given, worker=worker)
    finally:
        worker.dismiss()
    _PRINTERS[layout](found, step)
    return 0


def _as_text(found: Preview, asked: str) -> None:
    print_table(
        [name for name, _ in found.columns],
        [[_short(cell) for cell in row] for row in found.rows],
    )
    count = len(found.rows)
    rows = f"{'the first ' if found.more else ''}{count:,} row{'' if count == 1 else 's'}"
    of = f" of {found.step}, which {asked} would write" if found.step != asked else f" of {found.step}"
    click.echo(f"{rows}{of}", err=True)


def _as_json(found: Preview, asked: str) -> None:
    names = [{"name": name, "type": type_} for name, type_ in found.columns]
    write_json({"step": found.step, "columns": names, "rows": [list(row) for row in found.rows], "more": found.more})


def _as_csv(found: Preview, asked: str) -> None:
    rows = ([name for name, _ in found.columns], *found.rows)
    click.echo("".join(",".join(map(_csv_cell, row)) + "\n" for row in rows), nl=False)


_PRINTERS = {"text": _as_text, "json": _as_json, "csv": _as_csv}


def _plain(cell: Any) -> str:
    return str(cell).lower() if isinstance(cell, bool) else str(cell)


def _csv_cell(cell: Any) -> str:
    """As ``filesystem.csv_writer`` does it: NULL is nothing, and an empty text a pair of quotes."""
    if cell is None:
        return ""
    text = _plain(cell)
    if text and not _TO_QUOTE.search(text):
        return text
    return '"' + text.replace('"', '""') + '"'


def _short(cell: Any) -> str:
    """NULL is ``NULL``, the text of these letters ``'NULL'``."""
    text = _NOTHING if cell is None else _plain(cell)
    if cell is not None and text.strip("'") == _NOTHING:
        text = f"'{text}'"
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 3]}..."
