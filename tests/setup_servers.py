"""Install the database servers that the tests start for themselves, and OpenSSL, which makes their certificates.

Run it as ``python tests/setup_servers.py``. What is installed already is left alone. What cannot be installed is named
in one clear line each; under ``CI=true`` that ends in exit code 1, elsewhere the tests that need it are left out by
name.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

from editors.setup_editors import SetupError, apt_install
from servers import ServerError, mariadb_programs, openssl_program, postgres_programs

# The program files of a server alone, where a distribution has them apart: nothing is started then.
SERVERS: dict[str, tuple[Callable[[], object], tuple[Sequence[str], ...]]] = {
    "MariaDB": (mariadb_programs, (("mariadb-server-core", "mariadb-client-core"), ("mariadb-server",))),
    "PostgreSQL": (postgres_programs, (("postgresql",),)),
    "OpenSSL": (openssl_program, (("openssl",),)),
}


def main() -> int:
    """Install all. Returns the exit code: 1 under CI when one is missing."""
    missing = 0
    for name, (programs, choices) in SERVERS.items():
        problem = _install(programs, choices)
        if problem:
            missing += 1
            print(f"servers: {name} could not be installed, so the tests on it cannot run: {problem}", file=sys.stderr)
    return 1 if missing and os.environ.get("CI") == "true" else 0


def _install(programs: Callable[[], object], choices: Sequence[Sequence[str]]) -> str | None:
    """Bring the programs in by the first of ``choices`` that works. Returns why none does, None when they are there."""
    try:
        programs()
    except ServerError:
        pass
    else:
        return None
    for place, packages in enumerate(choices, 1):
        try:
            apt_install(packages)
            programs()
        except (SetupError, ServerError) as error:
            if place == len(choices):
                return str(error)
        else:
            return None
    return None


if __name__ == "__main__":
    sys.exit(main())
