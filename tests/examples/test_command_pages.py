"""The commands that the documentation shows exist, with the options that it shows."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from osiris.cli.app import cli

REPOSITORY = Path(__file__).parents[2]
PAGES = [
    "README.md",
    "docs/chat.md",
    "docs/ci.md",
    "docs/discovery.md",
    "docs/mcp.md",
    "docs/running.md",
    "docs/running-elsewhere.md",
]


def commands_on(page: str) -> list[str]:
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    shell = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
    return re.findall(r"^osiris ([^#\n]+)", shell, re.MULTILINE)


@pytest.mark.parametrize(("page", "line"), [(page, line) for page in PAGES for line in commands_on(page)])
def test_a_command_of_the_documentation_exists(page: str, line: str) -> None:
    words = line.split()
    command: click.Command | None = cli
    while isinstance(command, click.Group):
        command = command.get_command(click.Context(command), words.pop(0))
    assert command is not None
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options
