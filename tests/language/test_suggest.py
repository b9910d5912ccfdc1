"""Did you mean: the nearest known name, and none when nothing is near."""

import pytest

from osiris.language.suggest import listing, nearest

KEYS = ("delimiter", "encoding", "header", "limit", "path", "skip_rows")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("delimitr", "delimiter"),
        ("Header", "header"),
        ("haeder", "header"),
        ("skip-rows", "skip_rows"),
        ("skiprows", "skip_rows"),
        ("limits", "limit"),
        ("pth", "path"),
        ("pat", "path"),
        ("x", None),
        ("", None),
        ("password", None),
        ("encodings_of_all_files", None),
    ],
)
def test_the_nearest_key(written, meant):
    assert nearest(written, KEYS) == meant


def test_of_equally_near_names_the_first_in_the_alphabet_is_meant():
    assert nearest("step-x", ["step-b", "step-a", "step-c"]) == "step-a"


def test_a_nearer_name_wins_over_an_earlier_one():
    assert nearest("extract-orders", ["extract-ordas", "extract-ordes"]) == "extract-ordes"


@pytest.mark.parametrize(
    "written", ["exract_orders_500", "extract_odrers_500", "xtract_orders_500", "extract_orders_50O"]
)
def test_among_very_many_names_the_one_that_starts_or_ends_alike_is_found(written):
    assert nearest(written, [f"extract_orders_{n * 10:03}" for n in range(1000)]) == "extract_orders_500"


def test_long_lists_are_shortened():
    assert listing("abc") == "`a`, `b`, `c`"
    assert listing("abcdefgh") == "`a`, `b`, `c`, `d`, `e`, `f` and 2 more"
