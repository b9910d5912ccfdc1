"""Masking reads hostile text of any size in time that grows with its size, not with its square."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from osiris.core.secrets_masking import Masker
from osiris.language.secrets import (
    assigned_secret_spans,
    dsn_password_spans,
    find_known_formats,
    high_entropy_spans,
    is_secret_key,
)

SMALL, LARGE = 62_500, 1_000_000
UNITS = [
    "a", " ", "=", "a=", "password=", 'password="', "password='\\", 'password:\\"', "token: {", "token: ${",
    "://", "x://", "x://:@", "x://u:", "x://u:p@", "sk-", "sk-a1", "eyJ", "eyJa.", "eyJaaaaaaa.", "SG.a", "AKIA",
    "-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "bearer ", "bearer\t   a", "basic YTpi ",
    "aB3", "a_", "--a ", "-a", "/a", 'a\\"', "\\", "'", "\n", "xoxb-", "hooks.slack.com/services/", "é", "\ud800",
]  # fmt: skip
DETECTORS = [find_known_formats, dsn_password_spans, assigned_secret_spans, high_entropy_spans]


def seconds(work: Callable[[str], object], text: str) -> float:
    """The processor time of the work."""
    start = time.process_time()
    work(text)
    return time.process_time() - start


def repeated(unit: str, size: int) -> str:
    return (unit * (size // len(unit) + 1))[:size]


@pytest.mark.parametrize("unit", UNITS, ids=repr)
def test_sixteen_times_the_text_takes_about_sixteen_times_the_time(unit: str) -> None:
    for detector in DETECTORS:
        small = seconds(detector, repeated(unit, SMALL))
        # Linear is 16, quadratic 256. The floor keeps the noise of very short times out, trying again that of others.
        tries = (seconds(detector, repeated(unit, LARGE)) for _ in range(3))
        assert any(large < 80 * max(small, 0.002) for large in tries), detector.__name__


def test_a_megabyte_with_many_known_secrets_is_masked() -> None:
    values = [f"secret-value-{number}" for number in range(50)]
    masked = Masker(values).text("".join(f"row {number}: secret-value-{number % 50}\n" for number in range(40_000)))
    assert "secret-value" not in masked


@pytest.mark.parametrize("unit", ["corre", "correct horse", "a", "...", "correct...", "72 6f", "Y29ycmVj"], ids=repr)
def test_known_secrets_are_looked_for_in_linear_time(unit: str) -> None:
    masker = Masker(["correct horse & battery staple", "a" * 100, "correct horses, many"])
    small = seconds(masker.text, repeated(unit, SMALL))
    tries = (seconds(masker.text, repeated(unit, LARGE)) for _ in range(3))
    assert any(large < 80 * max(small, 0.002) for large in tries)


def test_a_secret_of_any_length_is_known() -> None:
    secret = "".join(f"{number:x} " for number in range(200_000))
    assert Masker([secret]).text(f"<{secret}>") == "<***>"


def test_a_name_of_any_length_is_judged() -> None:
    assert not is_secret_key("a_" * 500_000)
