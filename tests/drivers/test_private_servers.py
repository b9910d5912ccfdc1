"""The private database servers of the tests: how they are started, and what is said where they are missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from servers import MariaDB, PostgreSQL, start_mariadb, start_postgres

SCRIPT = Path(__file__).parents[1] / "setup_servers.py"


@pytest.mark.parametrize("start", [start_mariadb, start_postgres])
def test_a_server_and_its_folder_are_gone_afterwards(start, mariadb: MariaDB, postgres: PostgreSQL) -> None:
    with start() as server:
        with server.database("CREATE TABLE t (a int)") as name:
            assert server.fields(name)["port"] not in (mariadb.port, postgres.port)
        folder = server.folder
        assert folder.is_dir()

    assert server.process.returncode is not None
    assert not folder.exists()


PROGRAM = """
import servers, time
with servers.start_postgres() as server:
    print(server.process.pid, server.folder, flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends the children of a process that was killed")
def test_a_server_ends_with_tests_that_were_killed(postgres: PostgreSQL) -> None:
    environment = {**os.environ, "PYTHONPATH": str(SCRIPT.parent)}
    with subprocess.Popen([sys.executable, "-c", PROGRAM], env=environment, stdout=subprocess.PIPE, text=True) as tests:
        assert tests.stdout is not None
        server, folder = tests.stdout.readline().split()
        tests.kill()
    while _runs(server):
        time.sleep(0.02)  # the timeout of the test ends this
    shutil.rmtree(folder)


def _runs(process: str) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").split()[2] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(("ci", "exit_code"), [("", 0), ("true", 1)])
def test_a_server_that_cannot_be_installed_is_one_line_and_fails_under_ci(
    tmp_path: Path, ci: str, exit_code: int
) -> None:
    environment = {"PATH": str(tmp_path), "CI": ci}
    done = subprocess.run([sys.executable, str(SCRIPT)], env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == exit_code
    first = done.stderr.splitlines()[0]
    assert first.startswith(
        "servers: MariaDB could not be installed, so the tests on it cannot run: there is no apt-get"
    )
