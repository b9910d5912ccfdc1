"""`python -m benchmarks [--quick] [editor|command_line|runs ...]`: measure and print one table."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys

from benchmarks.figures import Row, markdown

SUBJECTS = ("editor", "project", "command_line", "discovery", "runs", "drivers", "memory")


def main() -> None:
    """Measure the chosen subjects one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("subjects", nargs="*", metavar="subject", default=list(SUBJECTS))
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    options = parser.parse_args()
    if unknown := set(options.subjects) - set(SUBJECTS):
        parser.error(f"no subject {', '.join(sorted(unknown))}; there are {', '.join(SUBJECTS)}")
    table: list[Row] = []
    for subject in options.subjects:
        print(f"measuring {subject} ...", file=sys.stderr, flush=True)
        table += importlib.import_module(f"benchmarks.{subject}").rows(options.quick)
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores{load}\n")
    print(markdown(table))


if __name__ == "__main__":
    main()
