"""Secrets found in a step, kept apart from their findings: the fix reaches beyond the step."""

from __future__ import annotations

from dataclasses import dataclass

from osiris.syntax.text import Span


@dataclass(frozen=True, slots=True)
class SecretHit:
    """A secret in plain text.

    ``span`` is what to point at and ``value`` the whole scalar, both relative to the step's part. ``key`` is the config
    key that holds it; ``text`` completes the message; ``movable`` says whether the whole scalar is the secret, so that
    a parameter can take its place.
    """

    code: str
    span: Span
    value: Span
    key: str
    text: str
    movable: bool
