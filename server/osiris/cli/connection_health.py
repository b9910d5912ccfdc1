"""Whether connections can be used: reached, let in, how quickly they answer, and the cause when not."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from osiris.cli.discovery_view import count
from osiris.cli.source_view import plain_line
from osiris.cli.streams import colour_wanted, paint

if TYPE_CHECKING:
    from osiris.core.discovery_process import Outcome
    from osiris.core.project import Project
    from osiris.language.connections import Connection


@dataclass(frozen=True)
class Verdict:
    """Whether one connection can be used; ``ok`` is None when nobody can tell yet.

    ``latency``: seconds until it was open and had said what it is. ``hint``: what to do. ``tables``: how many the user
    can see. ``remarks``: what the user should know, such as missing rights.
    """

    connection: str
    ok: bool | None
    detail: str
    product: str = ""
    version: str = ""
    latency: float | None = None
    tables: int | None = None
    remarks: tuple[str, ...] = ()
    hint: str | None = None

    def plain(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {
            "connection": self.connection,
            "ok": self.ok,
            "detail": self.detail,
            "hint": self.hint,
            "product": self.product,
            "version": self.version,
            "latency": None if self.latency is None else round(self.latency, 4),
            "tables": self.tables,
            "remarks": list(self.remarks),
        }


def examine(project: Project, connections: Sequence[Connection], timeout: float) -> list[Verdict]:
    """Try each connection, several at once, none longer than ``timeout`` seconds; a verdict for each, in their order.

    Raises ConfigurationError when the variables of the project cannot be read.
    """
    from osiris.core.config import ConnectionConfig
    from osiris.core.discovery_process import discover
    from osiris.core.env_loader import load_env

    env = load_env(project.root)
    verdicts: dict[str, Verdict] = {}
    to_try: list[ConnectionConfig] = []
    places: dict[str, str] = {}
    for connection in connections:
        config = ConnectionConfig.of(connection)
        verdict, place = _beforehand(project.root, config, env)
        if verdict is not None:
            verdicts[connection.reference] = verdict
        else:
            places[connection.reference] = place
            to_try.append(config)
    outcomes = discover(to_try, root=project.root, env=env, depth="server", timeout=timeout) if to_try else []
    for outcome in outcomes:
        verdicts[outcome.connection] = _verdict(outcome, places[outcome.connection])
    return [verdicts[connection.reference] for connection in connections]


_NOT_YET = "does not exist yet: a step that writes makes it, one that reads fails"


def _beforehand(root: Path, config: Any, env: Mapping[str, str]) -> tuple[Verdict | None, str]:
    """What can be said without trying; and how the place that the connection leads to is called."""
    from osiris.core.catalog_source import catalog_families
    from osiris.core.error_taxonomy import OsirisError, describe
    from osiris.core.secrets_masking import Masker

    name = config.reference
    try:
        resolved = config.resolve(env)
    except OsirisError as problem:
        return Verdict(name, False, describe(problem), hint=problem.hint), ""
    if config.family not in catalog_families():
        return Verdict(name, None, f"connections of the family {config.family} cannot be checked yet"), ""
    written = resolved.fields.get({"filesystem": "base_dir"}.get(config.family, "path"))
    if config.family == "filesystem":
        written = written or "."
    if config.family not in ("filesystem", "sqlite", "duckdb") or not isinstance(written, str) or not written:
        return None, ""
    path = root / Path(written).expanduser()
    shown = Masker(resolved.secrets).text(str(path))  # a path may be made of a secret
    if "\0" not in written and not os.path.lexists(path):
        return Verdict(name, None, f"{shown} {_NOT_YET}"), ""
    return None, shown


def _verdict(outcome: Outcome, place: str) -> Verdict:
    problem = outcome.problem
    if problem is not None:
        return Verdict(outcome.connection, False, problem.message, hint=problem.hint)
    folder = outcome.product == "Files"  # nobody waits for an answer from a folder
    return Verdict(
        outcome.connection,
        True,
        f"{place or 'can be reached,'} with {count(outcome.tables, 'table')}",
        "" if folder else outcome.product,
        outcome.version,
        None if folder else outcome.latency,
        outcome.tables,
        outcome.remarks,
    )


def show_verdict(verdict: Verdict) -> None:
    """The verdict in one line, and what there is to say below it."""
    on = colour_wanted(sys.stdout)
    words = {True: ("ok", "good"), False: ("problem", "error"), None: ("unknown", "hint")}
    word, style = words[verdict.ok]
    facts = [f"{verdict.product} {verdict.version}".strip()]
    if verdict.latency is not None:
        facts.append(f"{verdict.latency * 1000:.0f} ms")
    known = ", ".join(fact for fact in facts if fact)
    more = paint(f" ({plain_line(known)})", "faint", on=on) if known else ""
    click.echo(f"{paint(f'{word:<8}', style, on=on)}{verdict.connection}: {plain_line(verdict.detail)}{more}")
    if verdict.hint and verdict.hint not in verdict.detail:
        click.echo(f"        {paint('hint:', 'hint', on=on)} {plain_line(verdict.hint)}")
    for remark in verdict.remarks:
        click.echo(f"        {paint('note:', 'hint', on=on)} {plain_line(remark)}")
