"""What the hover says about the thing under the cursor ``<|>``; the first line is the text that it is about."""

from __future__ import annotations

import pytest
from marked import ENVIRONMENT, analysed, hovered, split

import planned
from osiris.ide.code_lenses import RunResult, StepResult
from osiris.ide.hover.hover import hover, with_last_run
from osiris.language.analysis import analyse
from osiris.language.environment import Origin, StaticEnvironment


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
    assert found.endswith(
        "`@sqlite.shop` can supply it; a step may set it instead.\n\n"
        "In `@sqlite.shop`: `data/shop.db`, which this step replaces."
    )


def test_the_connection_that_a_step_gets_without_naming_it_and_never_a_secret_of_it() -> None:
    default = hovered("steps:\n  - component: sqlite.extractor\n    config:\n      table: t\n      pa<|>th:\n")
    secret = hovered(
        "steps:\n  - component: mysql.extractor\n    config:\n      connection: '@mysql.crm'\n      pass<|>word: x"
    )

    assert "In `@sqlite.shop`: `data/shop.db`" in (default or "")
    assert "In `@mysql.crm`: `***`" in (secret or "")
    assert "CRM_PASSWORD" not in (secret or "")


def test_a_value_of_the_config_is_explained_like_its_key() -> None:
    found = hovered("steps:\n  - component: filesystem.csv_extractor\n    config:\n      encoding: lat<|>in-1\n")

    assert found is not None
    assert found.startswith("[latin-1]\n**encoding** · text\n")
    assert "Default: `utf-8`" in found


def test_a_component() -> None:
    found = hovered("steps:\n  - component: duckdb.pro<|>cessor")

    assert found is not None
    assert found.startswith("[duckdb.processor]\n**SQL transformation** · `duckdb.processor` ")
    assert "\n\nRequired: `query`\n\nThis version can run it.\n\n[Its specification](file:///" in found
    assert found.endswith("/duckdb.processor.yaml)")


def test_a_component_that_nothing_can_run_yet() -> None:
    environment = StaticEnvironment(planned.registry())

    found = hovered("steps:\n  - component: acme.wri<|>ter", environment)

    assert "nothing in this version can run it yet" in (found or "")


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
        "[get-orders]\n"
        "**get-orders** · `sqlite.extractor` · `read`\n"
        "\n"
        "Reads: `data/shop.db`\n"
        "\n"
        "Its data is `df_get_orders` for: `sum-up`"
    )


def test_a_step_at_its_id_says_what_it_gets() -> None:
    found = hovered(STEPS.replace("<|>", "").replace("id: sum-up", "id: sum<|>-up"))

    assert found is not None
    assert found.splitlines()[3:] == ["Waits for: `get-orders`", "", "Tables: `df_get_orders`, `df`, `input_df`"]


def test_the_table_of_a_step_in_sql() -> None:
    query = "    config:\n      query: |\n        SELECT *\n        FROM df_get_<|>orders -- df_get_orders\n"
    found = hovered(STEPS.replace("<|>", "").rstrip() + "\n" + "".join(f"    {line}\n" for line in query.splitlines()))

    assert found is not None
    assert found.startswith("[df_get_orders]\n**get-orders** · `sqlite.extractor`")


def test_the_data_of_a_step_in_inputs() -> None:
    found = hovered("steps:\n  - id: a\n  - id: b\n    inputs: {df: '${a<|>.df}'}\n")

    assert (found or "").startswith("[${a.df}]\n**a**")


def test_what_became_of_a_step_in_the_last_run() -> None:
    text, offset = split(STEPS)
    run = RunResult("run_1", "failed", steps={"get-orders": StepResult("succeeded", rows=354, duration=0.54)})
    found = hover(analysed(text), ENVIRONMENT, offset)

    assert found is not None
    assert with_last_run(found, run).markdown.endswith("for: `sum-up`\n\nLast run: ✓ 354 rows, 0.54 s")
    assert with_last_run(found, None) == found


def test_a_code_in_a_comment() -> None:
    assert hovered("name: Big Orders # osiris: ignore[OML<|>111]") == (
        "[OML111]\n**OML111** · hint: Name is not kebab-case\n\n"
        "Names like `daily-orders` read the same in paths, URLs and logs."
    )
    assert "It is always an error" in (hovered("# osiris: ignore[OML<|>303]\nname: x") or "")


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


def test_a_value_from_the_environment_says_which_variable_and_one_from_the_env_file_stays_there() -> None:
    text, offset = split(PARAMS % "${params.le<|>ast}")

    def told(origin: Origin) -> str:
        env = StaticEnvironment(variables={"OSIRIS_PARAM_LEAST": origin})
        found = hover(analyse(text, env, environ={"OSIRIS_PARAM_LEAST": "77"}), env, offset)
        assert found is not None
        return found.markdown

    assert "Value: `77`, from `OSIRIS_PARAM_LEAST` in the environment" in told("environment")
    assert "Value: that of `OSIRIS_PARAM_LEAST` in `.env`" in told(".env")
    assert "77" not in told(".env")


def test_a_value_from_the_chosen_profile() -> None:
    text, offset = split(PARAMS % "${params.le<|>ast}")
    found = hover(analyse(text, ENVIRONMENT, profile="prod"), ENVIRONMENT, offset)

    assert found is not None
    assert "Value: `10`, from the profile `prod`" in found.markdown


def test_a_secret_parameter_never_shows_its_value() -> None:
    found = hovered(PARAMS % "${params.to<|>ken}")

    assert found is not None
    assert "a run gets it from `OSIRIS_PARAM_TOKEN`, which is not set." in found
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
