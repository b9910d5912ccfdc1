"""`python -m benchmarks [--quick] [editor|command_line|runs ...]`: measure and print one table.

`python -m benchmarks agent [--provider ... --model ... --base-url ...]`: let a model solve tasks, in another table.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys

from benchmarks.figures import Row, markdown

SUBJECTS = ("editor", "project", "command_line", "discovery", "runs", "drivers", "elsewhere", "memory")


AGENT = "agent"


def main() -> None:
    """Measure the chosen subjects one after the other."""
    if sys.argv[1:2] == [AGENT]:
        agent(sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("subjects", nargs="*", metavar="subject", default=list(SUBJECTS))
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    options = parser.parse_args()
    if unknown := set(options.subjects) - set(SUBJECTS):
        parser.error(f"no subject {', '.join(sorted(unknown))}; there are {', '.join(SUBJECTS)}, and {AGENT} alone")
    table: list[Row] = []
    for subject in options.subjects:
        print(f"measuring {subject} ...", file=sys.stderr, flush=True)
        table += importlib.import_module(f"benchmarks.{subject}").rows(options.quick)
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores{load}\n")
    print(markdown(table))


def agent(arguments: list[str]) -> None:
    """Let a model solve the tasks of the agent; without one, play answers that were recorded."""
    from benchmarks.agent.report import chosen, measure, model_chosen, table
    from osiris.core.error_taxonomy import OsirisError

    parser = argparse.ArgumentParser(prog=f"python -m benchmarks {AGENT}", description=agent.__doc__)
    parser.add_argument("tasks", nargs="*", metavar="task", help="only these tasks")
    parser.add_argument("--provider", help="openai, anthropic or google; default: the one that is set up")
    parser.add_argument("--model", help="the model's name; default: the one that is set up")
    parser.add_argument("--base-url", help="a server that speaks chat completions, such as http://localhost:11434/v1")
    parser.add_argument("--configured", action="store_true", help="the model that is set up for osiris chat")
    options = parser.parse_args(arguments)
    try:
        asked = options.configured or options.provider or options.model or options.base_url
        settings = model_chosen(options.provider, options.model, options.base_url) if asked else None
        tasks = chosen(options.tasks)
        print(table(measure(tasks, settings), settings))
    except ValueError as error:
        parser.error(str(error))
    except OsirisError as error:
        sys.exit(f"{error.message} {error.hint or ''}".strip())


if __name__ == "__main__":
    main()
