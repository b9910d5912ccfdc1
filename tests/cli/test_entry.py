"""The command itself: help, versions, wrong usage, and how it leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"duckdb", "pyarrow", "sqlglot", "sqlalchemy", "pandas", "rich", "pygls", "lsprotocol", "yaml", "pydantic"}


def test_help_lists_every_command_and_the_exit_codes(osiris):
    done = osiris("--help")
    assert done.returncode == 0
    for name in ("init", "validate", "compile", "run", "runs", "components", "connections", "schema", "lsp", "doctor"):
        assert f"  {name} " in done.stdout
    assert "Exit codes: 0 fine" in done.stdout


def test_help_imports_no_engine_and_no_command(osiris):
    code = (
        "import sys; sys.argv = ['osiris', '--help']\n"
        "from osiris.cli.main import main\n"
        "main()\n"
        "print(*sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert not HEAVY & loaded
    assert not {name for name in loaded if name.startswith("osiris.cli.commands")}


def test_every_command_explains_itself():
    code = (
        "from osiris.cli.app import COMMANDS\n"
        "from osiris.cli.main import main\n"
        "for name in COMMANDS:\n"
        "    assert main([name, '--help']) == 0"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    for name in ("init", "validate", "compile", "run", "runs", "components", "connections", "schema", "lsp", "doctor"):
        assert f"Usage: osiris {name} " in done.stdout


def test_version(osiris):
    from osiris import __version__

    assert osiris("--version").stdout == f"osiris {__version__}\n"


def test_without_a_command_the_help_goes_to_standard_error_with_exit_code_2(osiris):
    done = osiris()
    assert (done.returncode, done.stdout) == (2, "")
    assert "Commands:" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["validdate"], "Did you mean 'validate'?"),
        (["frobnicate"], "There is no command 'frobnicate'."),
        (["validate", "--nope"], "No such option"),
        (["validate", "--format", "xml"], "'xml' is not one of"),
        (["compile"], "Missing argument"),
        (["compile", "pipelines/orders.oml.yaml", "--param", "x"], "'x' is not KEY=VALUE"),
        (["validate", "nowhere.oml.yaml"], "nowhere.oml.yaml: there is no such file."),
        (["compile", "pipelines"], "pipelines: is a folder."),
        (["run", "pipelines"], "pipelines: is a folder."),
        (["components", "show", "duckdb.procesor"], "Did you mean 'duckdb.processor'?"),
        (["schema", "nope"], "There is no schema 'nope'."),
    ],
)
def test_wrong_usage_ends_with_exit_code_2_and_says_what_is_wrong(osiris, arguments, said):
    done = osiris(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_a_full_disk_behind_standard_output_is_told_in_one_sentence(osiris):
    with open("/dev/full", "w") as full:
        done = osiris("components", "list", capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert done.stderr == "error: cannot write to standard output: No space left on device\n"


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_standard_streams_change_no_exit_code(project, closed):
    command = f"'{sys.executable}' -m osiris validate pipelines/orders.oml.yaml {closed}"
    assert subprocess.run(["sh", "-c", command], cwd=project).returncode == 0


def test_a_reader_that_leaves_is_no_error_worth_a_word(project):
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "osiris", "schema", "oml"],
        cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(30) in (0, 141)  # 0: it had finished writing before the pipe was closed


@pytest.mark.parametrize(("locale", "encoding"), [("C", None), ("en_US.ISO-8859-1", None), ("C", "ascii")])
def test_no_locale_stops_a_message(osiris, project, locale, encoding):
    (project / "pipelines/příliš.oml.yaml").write_text("name: žluťoučký 🐎\n", encoding="utf-8")
    env = {"LC_ALL": locale} | ({"PYTHONIOENCODING": encoding} if encoding else {})
    done = osiris("validate", "pipelines/příliš.oml.yaml", env=env)
    assert done.returncode == 1
    assert "OML" in done.stdout


def test_colour_only_on_a_terminal(osiris, project):
    (project / "pipelines/orders.oml.yaml").write_text("steps: 3\n", encoding="utf-8")
    assert "\x1b[" not in osiris("validate", "pipelines/orders.oml.yaml").stdout
    assert "\x1b[" in _on_a_terminal(project, {})
    assert "\x1b[" not in _on_a_terminal(project, {"NO_COLOR": "1"})


def _on_a_terminal(project: Path, env: dict[str, str]) -> str:
    import pty

    ours, theirs = pty.openpty()
    variables = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM")} | {"TERM": "xterm"} | env
    command = [sys.executable, "-P", "-m", "osiris", "validate", "pipelines/orders.oml.yaml"]
    process = subprocess.Popen(command, cwd=project, env=variables, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    text = b""
    try:
        while chunk := os.read(ours, 65536):
            text += chunk
    except OSError:
        pass  # Linux answers EIO once the other side is closed
    os.close(ours)
    process.wait(30)
    return text.decode()


def test_a_defect_of_our_own_ends_with_exit_code_3_and_keeps_masked_details(tmp_path):
    code = (
        "import osiris.cli.main as m, osiris.cli.commands.doctor as d\n"
        "def broken(): raise RuntimeError('password=hunter2hunter2')\n"
        "d._installation = broken\n"
        "raise SystemExit(m.main(['doctor']))"
    )
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-P", "-c", code], env=env, capture_output=True, text=True, cwd=tmp_path)
    (details,) = (tmp_path / "osiris/errors").iterdir()
    assert done.returncode == 3
    assert done.stderr == f"error: Osiris met a defect of its own (RuntimeError). The details are in {details}.\n"
    assert "Traceback" in details.read_text()
    assert "hunter2" not in details.read_text()
    assert details.stat().st_mode & 0o077 == 0


def test_a_defect_of_our_own_is_told_to_one_who_has_no_home_folder(tmp_path):
    code = (
        "import osiris.cli.main as m, osiris.cli.commands.doctor as d, pathlib\n"
        "def nowhere(): raise RuntimeError('Could not determine home directory.')\n"
        "def broken(): raise ValueError('no')\n"
        "pathlib.Path.home, d._installation = nowhere, broken\n"
        "raise SystemExit(m.main(['doctor']))"
    )
    env = {"PATH": os.defpath, "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-P", "-c", code], env=env, capture_output=True, text=True, cwd=tmp_path)
    (details,) = tmp_path.glob("osiris-*/error-*.log")
    assert done.returncode == 3
    assert done.stderr == f"error: Osiris met a defect of its own (ValueError). The details are in {details}.\n"


def test_control_c_ends_with_exit_code_130(osiris, tmp_path):
    code = (
        "import os, signal, time, osiris.cli.main as m, osiris.cli.commands.doctor as d\n"
        "d._installation = lambda: (os.kill(os.getpid(), signal.SIGINT), time.sleep(60))\n"
        "raise SystemExit(m.main(['doctor']))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (130, "Stopped.\n")
    assert signal.SIGINT  # the signal a terminal sends


def test_the_language_server_speaks_nothing_but_the_protocol(osiris):
    for arguments in (["lsp"], ["lsp", "--stdio"], ["lsp", "--stdio", "--clientProcessId=1"]):
        done = osiris(*arguments)
        assert (done.returncode, done.stdout) == (0, "")
