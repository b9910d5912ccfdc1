"""Parses the command line, runs one command, turns every failure into a message and an exit code.

Exit codes: 0 fine, 1 findings or something that did not work, 2 wrong usage, 3 a defect of Osiris itself,
130 and 143 stopped by the user.
"""

from __future__ import annotations

import os
import sys

import click

from osiris import __version__
from osiris.cli.lazy import LazyGroup
from osiris.cli.streams import prepare_streams, silence

COMMANDS = {
    "init": "Make a small project that runs at once",
    "validate": "Check pipelines and show what is wrong, and where",
    "fmt": "Format pipelines",
    "compile": "Turn a pipeline into a manifest",
    "run": "Compile and run a pipeline",
    "preview": "Show the first rows that a step yields, and write nothing",
    "chat": "Write pipelines in a conversation with an AI model that you have set up",
    "runs": "List, show, follow, cancel and clean runs",
    "components": "List and show the components that steps can use",
    "discover": "Read which tables and columns the databases of the project have",
    "connections": "List and check the connections of the project",
    "schema": "Print a JSON Schema",
    "mcp": "Serve the project to AI agents of others, over the Model Context Protocol",
    "lsp": "Start the language server on standard input and output",
    "doctor": "Say what is installed, what is missing and what is in the way",
}

USAGE_ERROR = 2


@click.group(
    cls=LazyGroup,
    subcommands=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 fine, 1 findings or a failed run, 2 wrong usage, 3 a defect of Osiris.",
)
@click.version_option(__version__, "-V", "--version", message="osiris %(version)s")
def cli() -> None:
    """Check, compile and run OML data pipelines.

    In a folder without a project, start with `osiris init`.
    """


def run(arguments: list[str]) -> int:
    """Run the command line ``arguments`` and return the exit code. Never raises."""
    prepare_streams()
    if "_OSIRIS_COMPLETE" in os.environ:
        cli.main(args=arguments, prog_name="osiris")
    return _flush(_guarded(arguments))


def _guarded(arguments: list[str]) -> int:
    try:
        with cli.make_context("osiris", arguments) as context:
            result = cli.invoke(context)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.exceptions.NoArgsIsHelpError as usage:
        # `osiris` and `osiris runs` alone: the help is the answer, and it belongs where the eyes are.
        click.echo(usage.ctx.get_help() if usage.ctx else usage.message, err=True)
        return USAGE_ERROR
    except click.UsageError as usage:
        usage.show()
        return USAGE_ERROR
    except BrokenPipeError:
        # The reader left (`| head`): nobody is there to be told. 128 + SIGPIPE, as a program in C would end.
        silence(sys.stdout)
        return 141
    except (KeyboardInterrupt, click.Abort):
        click.echo("Stopped.", err=True)
        return 130
    except Exception as problem:  # noqa: BLE001 - the one place that turns every cause into a message
        from osiris.cli.failures import report

        return report(problem)


def _flush(code: int) -> int:
    """Flush standard output while a failure can still be told."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        silence(sys.stdout)
        return 141
    except OSError as problem:
        silence(sys.stdout)
        click.echo(f"error: cannot write to standard output: {problem.strerror}", err=True)
        return 1
    return code
