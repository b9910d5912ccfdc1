"""osiris.schema.json: the same bytes for the same tables, findings at their place, differences that can be shown."""

from __future__ import annotations

import json
import textwrap
from dataclasses import replace

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osiris.core.schema_lock import SchemaLock, compare, make_lock, parse_lock
from osiris.core.schemas import schema
from osiris.language.catalog import Catalog, Column, Columns, TableInfo

ID = Column("id", "int(11)", "int32", nullable=False, primary_key=1, comment="not kept")
STATE = Column("state", "enum('a','ü')", "string", True, values=("a", "ü"))
OWNER = Column("owner", "int(11)", references="crm.people.id", unique=True, generated=True)


def catalog(tables: dict[tuple[str, str], Columns], default_schema: str = "shop") -> Catalog:
    infos = [TableInfo(*key, comment="not kept", rows=5) for key in tables]
    return Catalog("@mysql.shop", "mysql", infos, tables, default_schema=default_schema)


def lock_of(tables: dict[tuple[str, str], Columns], default_schema: str = "shop") -> SchemaLock:
    used: list[tuple[str | None, str]] = list(tables)  # type: ignore[arg-type]
    return make_lock({"@mysql.shop": used}, {"@mysql.shop": catalog(tables, default_schema)})


SHOP: dict[tuple[str, str], Columns] = {("shop", "orders"): (ID, STATE, OWNER), ("crm", "people"): (ID,)}


def test_the_text_is_sorted_one_column_to_a_line_and_tells_of_no_server() -> None:
    assert lock_of(SHOP).text() == textwrap.dedent(
        """\
        {
          "schema_version": 1,
          "connections": {
            "@mysql.shop": {
              "dialect": "mysql",
              "default_schema": "shop",
              "tables": {
                "crm.people": {
                  "kind": "table",
                  "columns": [
                    {"name": "id", "type": "int(11)", "arrow": "int32", "nullable": false, "primary_key": 1}
                  ]
                },
                "orders": {
                  "kind": "table",
                  "columns": [
                    {"name": "id", "type": "int(11)", "arrow": "int32", "nullable": false, "primary_key": 1},
                    {"name": "state", "type": "enum('a','ü')", "arrow": "string", "nullable": true, "values": ["a", "ü"]},
                    {"name": "owner", "type": "int(11)", "unique": true, "references": "crm.people.id", "generated": true}
                  ]
                }
              }
            }
          }
        }
        """  # noqa: E501 - a line of the file is a line here
    )


def test_it_is_what_its_json_schema_says() -> None:
    jsonschema.validate(json.loads(lock_of(SHOP).text()), schema("lock"))
    jsonschema.validate(json.loads(SchemaLock().text()), schema("lock"))


def test_only_what_is_used_is_locked_and_what_does_not_exist_is_left_out() -> None:
    used: dict[str, list[tuple[str | None, str]]] = {
        "@mysql.shop": [(None, "orders"), (None, "a_writer_will_make_it")],
        "@mysql.unread": [(None, "x")],
    }
    lock = make_lock(used, {"@mysql.shop": catalog(SHOP)})
    assert {name: [t.name for t in found.tables] for name, found in lock.catalogs.items()} == {
        "@mysql.shop": ["orders"]
    }


def test_a_connection_that_could_not_be_read_keeps_its_tables() -> None:
    used: dict[str, list[tuple[str | None, str]]] = {"@mysql.shop": [(None, "orders")]}
    lock = make_lock(used, {}, before=lock_of(SHOP))
    assert [info.name for info in lock.catalogs["@mysql.shop"].tables] == ["orders"]


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=6) | st.sampled_from(
    ["a.b", "name", "columns", "shop.a", "a"]
)
COLUMNS = st.lists(
    st.builds(Column, NAMES, NAMES, NAMES, st.none() | st.booleans(), st.integers(0, 3), st.booleans(), NAMES),
    max_size=3,
    unique_by=lambda column: column.name,
).map(tuple)


@given(
    st.dictionaries(st.tuples(st.sampled_from(["", "shop", "crm", "a.b", "a"]), NAMES), COLUMNS, max_size=5),
    st.sampled_from(["shop", "", "a.b"]),
)
def test_what_is_written_is_read_again(tables: dict[tuple[str, str], Columns], default_schema: str) -> None:
    lock = lock_of(tables, default_schema)
    text = lock.text()
    again = parse_lock(text)
    assert again.diagnostics == ()
    assert again.text() == text
    assert compare(lock, again) == ()
    found = again.catalogs.get("@mysql.shop")
    assert ({(t.schema, t.name): found.columns(t) for t in found.tables} if found else {}) == tables


# ---- Damage ----------------------------------------------------------------------------------------------------------

TABLE = '"t": {"columns": [{"name": "a", "type": "int"}]}'
WHOLE = '{"schema_version": 1, "connections": {"@mysql.shop": {"dialect": "mysql", "tables": {%s}}}}'


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ("", "", "This is not JSON: expecting value."),
        ('{"schema_version": 1,\n<<<<<<< ours', "<", "This is not JSON"),
        ('{"schema_version": 1}{', "{", "This is not JSON: extra data."),
        ("[1]", "[", "osiris.schema.json is an object."),
        ("{}", "{", "schema_version is 1."),
        ('{"schema_version": 2}', '"schema_version"', "A newer version of Osiris has written this file."),
        ('{"schema_version": 1, "connections": 5}', '"connections"', "connections is an object."),
        ('{"schema_version": 1, "connections": {"shop": {}}}', '"shop"', "shop is no connection"),
        (WHOLE % '"u": 7', '"u"', "A table is an object."),
        (WHOLE % '"u": {"columns": {}}', '"columns"', "columns is a list."),
        (WHOLE % '"u": {"kind": "chair", "columns": []}', '"kind"', "kind is one of"),
        (WHOLE % '"u": {"columns": [{"name": 1, "type": "int"}]}', '"name"', "name is a text."),
        (WHOLE % '"u": {"columns": [{"name": "b"}]}', '{"name": "b"}', "A column has a type."),
        (WHOLE % '"u": {"columns": [{"name": "b", "type": "x", "nullable": 1}]}', '"nullable"', "nullable is true or"),
        ('{"a": NaN}', "{", "NaN is not JSON"),
        ("[" * 100_000, "[", "it is nested too deeply"),
    ],
)
def test_what_is_wrong_is_found_at_its_place(text: str, at: str, message: str) -> None:
    found = parse_lock(text).diagnostics[0]
    assert found.code == "OML420"
    assert found.message.startswith(message) or message in found.message
    assert text[found.span.start : found.span.end] == at


def test_what_is_sound_counts_whatever_else_is_wrong() -> None:
    lock = parse_lock(WHOLE % f'{TABLE}, "u": {{"columns": [{{"name": "b"}}]}}')
    assert [info.name for info in lock.catalogs["@mysql.shop"].tables] == ["t"]
    assert len(lock.diagnostics) == 1


def test_properties_of_a_later_version_are_passed_over() -> None:
    lock = parse_lock(WHOLE % '"t": {"columns": [{"name": "a", "type": "int", "collation": "utf8"}], "engine": "x"}')
    assert lock.diagnostics == ()


@given(st.data())
def test_no_text_makes_it_fail(data: st.DataObject) -> None:
    text = lock_of(SHOP).text()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 30, len(text))))
    broken = text[:start] + data.draw(st.text(alphabet='{}[]:,"\\ \n1ax', max_size=5)) + text[end:]
    for finding in parse_lock(broken).diagnostics:
        assert 0 <= finding.span.start <= finding.span.end <= len(broken)


# ---- Differences -----------------------------------------------------------------------------------------------------


def differences(after: dict[tuple[str, str], Columns]) -> list[str]:
    return [difference.text for difference in compare(lock_of(SHOP), lock_of(after))]


def test_equal_schemas_have_no_differences() -> None:
    assert differences(dict(reversed(SHOP.items()))) == []


def test_every_difference_is_said_in_words() -> None:
    after: dict[tuple[str, str], Columns] = {
        ("shop", "orders"): (replace(ID, type="bigint(20)", nullable=None), OWNER, Column("amount", "decimal(10,2)")),
        ("shop", "invoices"): (ID,),
    }
    assert differences(after) == [
        "crm.people: table missing",
        "invoices: table added",
        "orders.id: type is bigint(20), was int(11)",
        "orders.id: nullable is unknown, was no",
        "orders.state: column missing (enum('a','ü'))",
        "orders.amount: column added (decimal(10,2))",
    ]


def test_another_order_of_the_columns_is_a_difference() -> None:
    assert differences(SHOP | {("shop", "orders"): (STATE, ID, OWNER)}) == ["orders: the columns are in another order"]


def test_labels_of_an_enum_that_changed_are_named() -> None:
    after = SHOP | {("shop", "orders"): (ID, replace(STATE, values=("a",)), OWNER)}
    assert differences(after) == ["orders.state: values is a, was a, ü"]


def test_a_database_of_another_name_is_no_difference() -> None:
    staging: dict[tuple[str, str], Columns] = {("staging", "orders"): SHOP["shop", "orders"], ("crm", "people"): (ID,)}
    assert compare(lock_of(SHOP), lock_of(staging, default_schema="staging")) == ()


def test_a_difference_as_data() -> None:
    (difference,) = compare(lock_of(SHOP), lock_of(SHOP | {("crm", "people"): (replace(ID, type="text"),)}))
    assert difference.plain() == {
        "connection": "@mysql.shop",
        "table": "crm.people",
        "kind": "column changed",
        "column": "id",
        "what": "type",
        "before": "int(11)",
        "after": "text",
    }
