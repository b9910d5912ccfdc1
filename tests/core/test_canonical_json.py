"""The canonical JSON of manifests: RFC 8785, but with integers in full."""

from __future__ import annotations

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osiris.core.error_taxonomy import CompilationError
from osiris.core.manifest import canonical_json, generate_fingerprint, number_text

# RFC 8785, appendix B: IEEE 754 bits and their text.
RFC_8785_NUMBERS = [
    ("0000000000000000", "0"),
    ("8000000000000000", "0"),
    ("0000000000000001", "5e-324"),
    ("8000000000000001", "-5e-324"),
    ("7fefffffffffffff", "1.7976931348623157e+308"),
    ("ffefffffffffffff", "-1.7976931348623157e+308"),
    ("4340000000000000", "9007199254740992"),
    ("c340000000000000", "-9007199254740992"),
    ("4430000000000000", "295147905179352830000"),
    ("44b52d02c7e14af5", "9.999999999999997e+22"),
    ("44b52d02c7e14af6", "1e+23"),
    ("44b52d02c7e14af7", "1.0000000000000001e+23"),
    ("444b1ae4d6e2ef4e", "999999999999999700000"),
    ("444b1ae4d6e2ef4f", "999999999999999900000"),
    ("444b1ae4d6e2ef50", "1e+21"),
    ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
    ("3eb0c6f7a0b5ed8d", "0.000001"),
    ("41b3de4355555553", "333333333.3333332"),
    ("41b3de4355555554", "333333333.33333325"),
    ("41b3de4355555555", "333333333.3333333"),
    ("41b3de4355555556", "333333333.3333334"),
    ("41b3de4355555557", "333333333.33333343"),
    ("becbf647612f3696", "-0.0000033333333333333333"),
    ("43143ff3c1cb0959", "1424953923781206.2"),
]

# Above 2**53 a float is written as the integer of its shortest digits, which Python reads as an exact int.
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(("bits", "text"), RFC_8785_NUMBERS)
def test_floats_are_written_as_the_rfc_lists_them(bits: str, text: str) -> None:
    (value,) = struct.unpack(">d", bytes.fromhex(bits))
    assert number_text(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_reads_back_as_the_same_number(value: float) -> None:
    assert float(number_text(value)) == value


def test_integers_are_written_in_full() -> None:
    assert canonical_json(2**53 + 1) == b"9007199254740993"
    assert canonical_json(10**40) == b"1" + b"0" * 40


def test_keys_stand_in_the_order_of_their_utf16_units() -> None:
    keys = ["€", "\r", "\ufb33", "1", "\x80", "\U0001f600", "ö"]
    written = json.loads(canonical_json(dict.fromkeys(keys)))
    assert list(written) == ["\r", "1", "\x80", "ö", "€", "\U0001f600", "\ufb33"]


def test_only_what_must_be_escaped_is_escaped() -> None:
    assert canonical_json("€$\x0f\nA'B\"\\/\u2028") == '"€$\\u000f\\nA\'B\\"\\\\/\u2028"'.encode()


@given(PLAIN)
def test_canonical_json_is_json(value: object) -> None:
    assert json.loads(canonical_json(value)) == value


@given(st.dictionaries(st.text(max_size=5), PLAIN, max_size=6))
def test_the_order_of_keys_does_not_matter(value: dict[str, object]) -> None:
    assert canonical_json(dict(reversed(value.items()))) == canonical_json(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), "\ud800", {1: 2}, {"a": {3}}, b"x"])
def test_what_json_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"JSON|not text"):
        canonical_json({"x": [value]})


def test_the_fingerprint_covers_everything_but_itself() -> None:
    manifest = {"steps": [], "params": {"n": 1}}
    fingerprint = generate_fingerprint(manifest)
    assert generate_fingerprint({**manifest, "fingerprint": fingerprint}) == fingerprint
    assert generate_fingerprint({**manifest, "params": {"n": 2}}) != fingerprint


def test_a_manifest_with_nan_has_no_fingerprint() -> None:
    with pytest.raises(CompilationError, match="cannot be written as JSON"):
        generate_fingerprint({"params": {"n": float("nan")}})
