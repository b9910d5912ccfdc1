"""What a test does where the editor it needs is missing."""

from __future__ import annotations

import os

import pytest


def require(available: bool, tool: str) -> None:
    """Go on where the tool is there; elsewhere leave the test out by name, or, under CI=true, fail it."""
    if available:
        return
    message = f"missing: {tool}. Run: python tests/editors/setup_editors.py"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
