"""``osiris fmt``: give pipelines their one layout."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from osiris.cli.arguments import format_option, shown_path
from osiris.cli.failures import DID_NOT_WORK, UsageProblem, say_error
from osiris.cli.source_view import plain_line
from osiris.cli.streams import colour_wanted, paint, write_json

_STDIN = "-"


@dataclass(frozen=True)
class _Formatted:
    """What became of one file. ``problem`` says why all of it, or a part, has the layout it had."""

    name: str
    before: str = ""
    after: str = ""
    problem: str | None = None

    @property
    def changed(self) -> bool:
        return self.before != self.after


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATHS]...")
@click.option("--check", is_flag=True, help="Write nothing; the exit code is 1 when a file would change.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
@format_option("text", "json")
def command(paths: tuple[str, ...], check: bool, diff: bool, layout: str) -> int:
    """Format pipelines: indentation, blanks and empty lines. What a file says does not change.

    PATHS are OML files, osiris.yaml, osiris_connections.yaml, or folders of them; without any, the whole project is
    formatted. With `-` standard input is formatted to standard output.

    Comments, quotes, the order of keys, block texts and line ends stay. What is broken in a file keeps its layout; the
    exit code is then 1.
    """
    if _STDIN in paths:
        if len(paths) > 1 or layout != "text":
            raise UsageProblem("- stands for standard input and takes no other paths, nor --format.")
        return _format_stdin(check=check, diff=diff)
    from osiris.cli.chosen_files import chosen_sources

    writes = not (check or diff)
    done = [_format_file(path, write=writes) for path in chosen_sources(paths)]
    if layout == "json":
        write_json([_as_data(file, written=writes, diff=diff) for file in done])
    else:
        _print_text(done, written=writes, diff=diff)
    return _exit_code(done, check=check)


def _exit_code(done: Sequence[_Formatted], *, check: bool) -> int:
    failed = any(file.problem is not None or (check and file.changed) for file in done)
    return DID_NOT_WORK if failed else 0


def _format_file(path: Path, *, write: bool) -> _Formatted:
    from osiris.core.error_taxonomy import OsirisError
    from osiris.core.files import rewrite
    from osiris.core.source import read_encoded

    name = shown_path(path)
    try:
        source = read_encoded(path, shown=name)
        done = _format_text(name, source.text)
        if write and done.changed:
            rewrite(Path(name), source.encode(done.after))  # messages name it as the user does
    except OsirisError as problem:
        return _Formatted(name, problem=f"{problem} {problem.hint or ''}".strip())
    return done


def _format_text(name: str, text: str) -> _Formatted:
    from osiris.ide.formatting.documents import format_document
    from osiris.language.edits import applied
    from osiris.syntax.diagnostic import Severity
    from osiris.syntax.document import parse

    document = parse(text)
    found = format_document(document)
    problem = None
    if found.broken:
        first = next(one for one in document.diagnostics if one.severity is Severity.ERROR)
        line, column = document.lines.line_column(first.span.start)
        problem = f"{name}:{line + 1}:{column + 1}: {first.code} {first.message} What is broken keeps its layout."
    return _Formatted(name, text, applied(text, found.edits), problem)


def _format_stdin(*, check: bool, diff: bool) -> int:
    from osiris.core.source import decode_source
    from osiris.syntax.limits import MAX_BYTES

    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    source = decode_source(data, "standard input")
    done = _format_text("<stdin>", source.text)
    if diff:
        _print_diff(done)
    elif not check:
        sys.stdout.buffer.write(source.encode(done.after))
    if done.problem:
        say_error(done.problem)
    return _exit_code([done], check=check)


# -- what is printed


def _print_text(done: Sequence[_Formatted], *, written: bool, diff: bool) -> None:
    verb = "formatted" if written else "would be formatted"
    for file in done:
        if file.problem is not None:
            say_error(plain_line(file.problem))
        if file.changed and diff:
            _print_diff(file)
        elif file.changed:
            click.echo(f"{file.name}: {verb}")
    changed = sum(1 for file in done if file.changed)
    failed = sum(1 for file in done if file.problem is not None)
    counts = [f"{_files(changed)} {verb}"] if changed else []
    if kept := sum(1 for file in done if not file.changed and file.problem is None):
        counts.append(f"{_files(kept)} formatted already")
    if failed:
        counts.append(f"{_files(failed)} with errors")
    click.echo(", ".join(counts) + ".", err=diff)


def _files(number: int) -> str:
    return f"{number} file{'' if number == 1 else 's'}"


def _print_diff(file: _Formatted) -> None:
    colour = colour_wanted(sys.stdout)
    styles = {"+": "good", "-": "error", "@": "information"}
    for line in _diff_lines(file):
        click.echo(paint(line, styles[line[0]], on=colour and line[0] in styles) if line[:1] in styles else line)


def _diff_lines(file: _Formatted) -> Iterator[str]:
    """A unified diff. A line that holds a secret shows it as ``***``."""
    from difflib import unified_diff

    from osiris.core.secrets_masking import mask_secrets

    before, after = _lines(file.before), _lines(file.after)
    for line in unified_diff(before, after, file.name, f"{file.name} (formatted)", lineterm=""):
        for part in line.split("\n"):
            yield plain_line(mask_secrets(part))


def _lines(text: str) -> list[str]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    last = lines.pop()
    return [*lines, f"{last}\n\\ No newline at end of file"] if last else lines


def _as_data(file: _Formatted, *, written: bool, diff: bool) -> dict[str, Any]:
    status = ("formatted" if written else "would be formatted") if file.changed else "unchanged"
    data: dict[str, Any] = {"file": file.name, "status": status, "problem": file.problem}
    if diff:
        data["diff"] = "".join(f"{line}\n" for line in _diff_lines(file))
    return data
