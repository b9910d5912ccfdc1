"""The language servers that are measured side by side: ours, and yaml-language-server with our JSON Schema."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from benchmarks.peers import YAML_LANGUAGE_SERVER
from benchmarks.rpc import Server

REPOSITORY = Path(__file__).resolve().parent.parent
OURS = [sys.executable, "-P", "-m", "osiris", "lsp"]
PEER = "yaml-ls"


def yaml_settings() -> dict[str, Any]:
    """Everything on, with our schema, and no bound on how many symbols and folds are computed."""
    schema = (REPOSITORY / "schemas" / "oml.schema.json").as_uri()
    wanted = {"validate": True, "completion": True, "hover": True, "format": {"enable": True}}
    return {"yaml": {"schemas": {schema: ["*.oml.yaml"]}, "maxItemsComputed": 1_000_000, **wanted}}


def ours(root: Path, *, pulls: bool = False) -> Server:
    """Our server in a folder."""
    return Server(OURS, root, pulls=pulls)


def peer(root: Path) -> Server | None:
    """The peer in a folder; None when it is not installed."""
    if not YAML_LANGUAGE_SERVER.exists():
        return None
    return Server([str(YAML_LANGUAGE_SERVER), "--stdio"], root, yaml_settings())
