"""Plain text to values: YAML 1.2's core schema, and nothing of YAML 1.1's surprises."""

from __future__ import annotations

import math

import pytest

from osiris.syntax.document import parse
from osiris.syntax.tree import to_plain


def value_of(written: str) -> object:
    plain = to_plain(parse(f"x: {written}\n").root())
    assert isinstance(plain, dict)
    return plain["x"]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("NULL", None),
        ("true", True),
        ("False", False),
        ("0", 0),
        ("-0", 0),
        ("+12", 12),
        ("-3", -3),
        ("0o17", 15),
        ("0xFf", 255),
        ("1.5", 1.5),
        ("-.5", -0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        ("1E-2", 0.01),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("123456789012345678901234567890", 123456789012345678901234567890),
    ],
)
def test_plain_text_is_resolved(written: str, value: object) -> None:
    assert (value_of(written), type(value_of(written))) == (value, type(value))


def test_not_a_number_is_a_float() -> None:
    value = value_of(".nan")

    assert isinstance(value, float)
    assert math.isnan(value)


@pytest.mark.parametrize(
    "written",
    [
        "yes",
        "no",
        "on",
        "off",
        "y",
        "012",
        "-012",
        "00",
        "1:30",
        "2024-01-01",
        "1_000",
        "0b1",
        "0x",
        "nUll",
        "1.2.3",
        "e3",
        ".",
    ],
)
def test_other_text_stays_text(written: str) -> None:
    assert value_of(written) == written


@pytest.mark.parametrize("written", ["'5'", '"5"', "|\n  5", ">-\n  5"])
def test_only_plain_text_is_resolved(written: str) -> None:
    assert str(value_of(written)).strip() == "5"
    assert isinstance(value_of(written), str)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("!!str 5", "5"),
        ("! 5", "5"),
        ('!!int "5"', 5),
        ("!!float 5", 5.0),
        ("!!bool 'true'", True),
        ("!!null ''", None),
        ("!!str", ""),
    ],
)
def test_a_tag_decides(written: str, value: object) -> None:
    assert (value_of(written), type(value_of(written))) == (value, type(value))
    assert parse(f"x: {written}\n").diagnostics == ()


@pytest.mark.parametrize(
    ("written", "marked", "value"),
    [("!!int abc", "abc", "abc"), ("!mine 5", "!mine", 5), ("!!binary aGk=", "!!binary", "aGk=")],
)
def test_a_tag_that_does_not_fit_is_reported(written: str, marked: str, value: object) -> None:
    text = f"x: {written}\n"
    [finding] = parse(text).diagnostics

    assert finding.code == "OML001"
    assert text[finding.span.start : finding.span.end] == marked
    assert value_of(written) == value


def test_an_integer_of_any_length_does_no_harm() -> None:
    assert value_of("9" * 4000) == int("9" * 4000)
    assert value_of("9" * 5000) == "9" * 5000
    assert value_of("0x" + "f" * 5000) == "0x" + "f" * 5000
