"""What the hover says about the thing under the cursor ``<|>``; the first line is the text that it is about."""

from __future__ import annotations

import pytest
from marked import hovered


def test_a_key_of_a_step() -> None:
    assert hovered("steps:\n  - mo<|>de: read") == (
        "[mode]\n"
        "**mode** · text · required\n"
        "\n"
        "`read` brings data in, `transform` makes data from data, `write` puts data somewhere.\n"
        "\n"
        "Allowed: `read`, `transform`, `write`"
    )


def test_a_key_of_the_config_and_what_the_connection_supplies() -> None:
    found = hovered("""
        steps:
          - component: sqlite.extractor
            config:
              connection: "@sqlite.shop"
              pa<|>th: other.db
        """)

    assert found is not None
    assert found.startswith("[path]\n**path** · text · required\n")
    assert found.endswith("`@sqlite.shop` can supply it; a step may set it instead.")


def test_a_value_of_the_config_is_explained_like_its_key() -> None:
    found = hovered("steps:\n  - component: filesystem.csv_extractor\n    config:\n      encoding: lat<|>in-1\n")

    assert found is not None
    assert found.startswith("[latin-1]\n**encoding** · text\n")
    assert "Default: `utf-8`" in found


def test_a_component() -> None:
    found = hovered("steps:\n  - component: duckdb.pro<|>cessor")

    assert found is not None
    assert found.startswith("[duckdb.processor]\n**SQL transformation** · `duckdb.processor` ")
    assert found.endswith("Required: `query`")


def test_a_connection_shows_its_fields_and_never_a_secret() -> None:
    found = hovered("steps:\n  - component: mysql.extractor\n    config:\n      connection: '@mysql.<|>crm'")

    assert found == (
        "[@mysql.crm]\n"
        "**@mysql.crm**\n"
        "\n"
        "- `host`: `db.local`\n"
        "- `user`: `app`\n"
        "- `password`: `***`\n"
        "\n"
        "Variables: `CRM_PASSWORD` (set in `.env`)"
    )


STEPS = """
    steps:
      - id: get-orders
        component: sqlite.extractor
        mode: read
      - id: sum-up
        component: duckdb.processor
        mode: transform
        needs: [get-<|>orders]
    """


def test_a_step_where_it_is_needed() -> None:
    assert hovered(STEPS) == (
        "[get-orders]\n**get-orders** · `sqlite.extractor` · `read`\n\nIts data is `df_get_orders` for: `sum-up`"
    )


def test_a_step_at_its_id_says_what_it_gets() -> None:
    found = hovered(STEPS.replace("<|>", "").replace("id: sum-up", "id: sum<|>-up"))

    assert found is not None
    assert found.splitlines()[3:] == ["Waits for: `get-orders`", "", "Tables: `df_get_orders`, `df`, `input_df`"]


PARAMS = """
    params:
      least:
        type: integer
        default: 3
        description: The least amount.
      token: {type: string, sensitive: true, default: hunter2}
    profiles:
      prod: {params: {least: 10}}
    steps:
      - id: a
        component: duckdb.processor
        config:
          query: SELECT %s
    """


def test_a_parameter_inside_sql_with_its_value_and_where_it_is_from() -> None:
    assert hovered(PARAMS % "${params.le<|>ast}") == (
        "[${params.least}]\n"
        "**params.least** · integer\n"
        "\n"
        "The least amount.\n"
        "\n"
        "Value: `3`, the default\n"
        "\n"
        "In profile `prod`: `10`"
    )


def test_a_secret_parameter_never_shows_its_value() -> None:
    found = hovered(PARAMS % "${params.to<|>ken}")

    assert found is not None
    assert "This is a secret." in found
    assert "hunter2" not in found


@pytest.mark.parametrize("place", [("least:", "le<|>ast:"), ("least: 10", "le<|>ast: 10")], ids=["declared", "profile"])
def test_a_parameter_says_its_value_also_where_it_is_declared_and_set(place: tuple[str, str]) -> None:
    found = hovered((PARAMS % "1").replace(*place, 1))

    assert found is not None
    assert found.startswith("[least]\n**params.least** · integer")
    assert "Value: `3`, the default" in found


def test_a_step_that_says_nothing_yet() -> None:
    assert hovered("steps:\n  - id: a\n  - id: b\n    needs: [<|>a") == "[a]\n**a**\n\nIts data is `df_a` for: `b`"


def test_lengths_read_as_people_say_them() -> None:
    found = hovered("steps:\n  - component: filesystem.csv_extractor\n    config:\n      delim<|>iter: x\n")

    assert found is not None
    assert "Allowed: 1 character\n" in found


def test_a_step_that_is_half_typed_elsewhere() -> None:
    assert (hovered("steps:\n  - id: a\n    compo\n    mo<|>de: read\n") or "").startswith("[mode]\n**mode**")


def test_nothing_is_said_about_names_blanks_and_comments() -> None:
    assert hovered("name: x # a<|>b") is None
    assert hovered("steps:\n<|>\n") is None
    assert hovered("x-own: <|>1") is None
