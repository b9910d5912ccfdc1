"""What ``make demo`` shows: the example shop, checked, compiled and run by the real ``osiris`` command."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
SHOP = REPOSITORY / "examples" / "shop"
SHOWN_ROWS = 3
DAILY, LTV, BROKEN = (f"pipelines/{name}.oml.yaml" for name in ("daily-revenue", "customer-ltv", "broken-orders"))


@dataclass(frozen=True)
class Done:
    """One finished command: exit code, what it printed, seconds, and the peak memory of its largest process in MB."""

    code: int
    output: str
    seconds: float
    megabytes: float


def osiris(*arguments: str) -> Done:
    """Run ``osiris`` in the shop; its standard output and error come back as one text."""
    command = [sys.executable, "-P", "-m", "osiris", *arguments]
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=SHOP, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    output = process.stdout.read().decode(errors="replace")
    _, status, usage = os.wait4(process.pid, 0)
    code = process.returncode = os.waitstatus_to_exitcode(status)
    # Linux counts in kB, macOS in bytes. The figure covers the command and the processes it waited for.
    megabytes = usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024)
    return Done(code, output, time.perf_counter() - started, megabytes)


def say(text: str = "") -> None:
    """Print at once, so that what is being done stands above what it prints."""
    print(text, flush=True)


def title(arguments: str, remark: str = "") -> None:
    """The command that follows, as a user would type it."""
    say(f"\n$ osiris {arguments}" + (f"    # {remark}" if remark else ""))


def expect(done: Done, code: int) -> Done:
    """Stop the demo when a command ends otherwise than it should."""
    if done.code != code:
        say(done.output)
        sys.exit(f"error: the command ended with exit code {done.code} where {code} was expected")
    return done


def main() -> int:
    """Show the main job; returns the exit code."""
    for folder in ("build", "out", "logs"):
        shutil.rmtree(SHOP / folder, ignore_errors=True)
    subprocess.run([sys.executable, "make_data.py"], cwd=SHOP, check=True)

    title(f"validate {BROKEN}", "wrong on purpose")
    say(expect(osiris("validate", BROKEN), 1).output.rstrip())

    title(f"validate {DAILY} {LTV}")
    say(expect(osiris("validate", DAILY, LTV), 0).output.rstrip())
    title(f"compile {DAILY}")
    say(expect(osiris("compile", DAILY), 0).output.rstrip())

    title(f"run {DAILY}")
    done = expect(osiris("run", DAILY), 0)
    say(done.output.rstrip())
    say(f"({done.seconds:.1f} s and {done.megabytes:.0f} MB, the start of Python included)")
    show_table("out/daily_revenue.csv", csv_rows(SHOP / "out/daily_revenue.csv"))

    title(f"run {LTV}")
    done = expect(osiris("run", LTV), 0)
    say(done.output.rstrip())
    say(f"({done.seconds:.1f} s and {done.megabytes:.0f} MB, the start of Python included)")
    show_table("out/customer_ltv.parquet", parquet_rows(SHOP / "out/customer_ltv.parquet"))

    say("\nNext: `make editor` opens this shop in VS Code, in your browser.")
    say("To type such commands yourself: . .venv/bin/activate && cd examples/shop")
    return 0


def csv_rows(path: Path) -> Iterator[list[str]]:
    """The rows of a CSV file, its header first."""
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.reader(file)


def parquet_rows(path: Path) -> Iterator[list[str]]:
    """The rows of a Parquet file, its column names first."""
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path)
    yield table.column_names
    for row in table.to_pylist():
        yield [str(value) for value in row.values()]


def show_table(name: str, rows: Iterator[list[str]]) -> None:
    """The header and the first rows, aligned."""
    shown = list(islice(rows, SHOWN_ROWS + 1))
    widths = [max(len(row[column]) for row in shown) for column in range(len(shown[0]))]
    say(f"({name} begins:)")
    for row in shown:
        say("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


if __name__ == "__main__":
    sys.exit(main())
