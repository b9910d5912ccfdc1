from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# The client stands beside this file, and tests import it by its plain name.
sys.path.insert(0, str(Path(__file__).parent))

from discovering import make_shop
from lsp_client import Client

CONNECTIONS = """\
connections:
  sqlite:
    shop:
      path: shop.db
      default: true
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a connections file, and nothing else."""
    (tmp_path / "osiris_connections.yaml").write_text(CONNECTIONS)
    return tmp_path


@pytest.fixture
def client() -> Iterator[Client]:
    """A server that nobody has spoken to yet; it must not be left behind."""
    started = Client()
    yield started
    started.kill()


@pytest.fixture
def editor(client: Client, project: Path) -> Client:
    """A server in use by an editor with all abilities, in the project folder."""
    client.initialize(project)
    return client


@pytest.fixture
def uri(tmp_path: Path) -> str:
    """A pipeline that reads a SQLite database which is there."""
    return make_shop(tmp_path).as_uri()
