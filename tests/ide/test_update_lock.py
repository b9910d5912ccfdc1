"""The action that brings osiris.schema.json up to date."""

from __future__ import annotations

from known import SHOP, catalog, knowing
from marked import analysed, split

from osiris.core.schema_lock import parse_lock
from osiris.ide.fixes.update_lock import UpdateLock, update_lock
from osiris.language.environment import StaticEnvironment
from osiris.syntax.text import Span

READ = "oml_version: 0.1.0\nname: o\nsteps:\n  - id: a\n    component: sqlite.extractor\n    mode: read\n    config:\n"


def action(marked: str, env: StaticEnvironment) -> UpdateLock | None:
    text, offset = split(marked)
    return update_lock(analysed(text, env), Span(offset, offset))


def test_it_is_offered_where_a_table_is_not_in_the_lock_or_has_changed_since() -> None:
    columns = SHOP["orders"][1]
    assert columns is not None
    lock = catalog({"orders": (SHOP["orders"][0], columns[:2])})
    env = knowing(catalog(SHOP), lock)
    for table, code in (("cust<|>omers", "OML412"), ("or<|>ders", "OML413")):
        found = action(READ + f"      table: {table}\n", env)
        assert found is not None
        assert (found.diagnostic.code, found.title, found.command) == (
            code,
            "Update osiris.schema.json",
            "osiris.lockSchema",
        )


def test_it_is_offered_for_a_column_that_the_database_has_and_the_lock_has_not() -> None:
    columns = SHOP["orders"][1]
    assert columns is not None
    env = knowing(catalog(SHOP), catalog({"orders": (SHOP["orders"][0], columns[:2])}))

    found = action(READ + "      table: orders\n      columns: [am<|>ount]\n", env)

    assert found is not None
    assert (found.diagnostic.code, found.command) == ("OML411", "osiris.lockSchema")


def test_it_is_offered_in_a_lock_that_cannot_be_used() -> None:
    broken = parse_lock('{"schema_version": 1, "connections": 5}')
    found = update_lock(broken, broken.diagnostics[0].span)
    assert found is not None
    assert found.diagnostic.code == "OML420"


def test_it_is_offered_nowhere_else() -> None:
    env = knowing(catalog(SHOP), catalog({"orders": SHOP["orders"]}))
    assert action(READ + "      table: or<|>ders\n", env) is None
    assert action(READ + "      table: or<|>dres\n", env) is None
