"""The shape of SQL: one statement that returns rows, over the tables of the steps before it."""

import pytest

READ = "  - id: {}\n    component: filesystem.csv_extractor\n    mode: read\n    config: {{path: a.csv}}\n"


def pipeline(query, *, needs="orders", top=""):
    lines = query.split("\n")
    body = f" {lines[0]}\n" if len(lines) == 1 else " |\n" + "".join(f"        {line}\n" for line in lines)
    return (
        f"oml_version: 0.1.0\nname: orders\n{top}steps:\n{READ.format('orders')}{READ.format('users')}"
        f"  - id: total\n    component: duckdb.processor\n    mode: transform\n    needs: [{needs}]\n"
        f"    config:\n      query:{body}"
    )


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM df",
        "select * from INPUT_DF",
        "FROM df_orders",
        "(SELECT 1) UNION ALL (SELECT 2)",
        "VALUES (1), (2)",
        "PIVOT df_orders ON region",
        "SUMMARIZE df_orders",
        "DESC df_orders",
        "SELECT 1;",
        "SELECT 'a;b' AS x -- ; c\n;",
        "WITH a AS (SELECT 1), b (x) AS MATERIALIZED (SELECT 2)\nSELECT * FROM a, b JOIN df_orders USING (x)",
        "WITH RECURSIVE t AS (SELECT 1 UNION ALL SELECT * FROM t) SELECT * FROM t",
        "SELECT extract(year FROM ordered) FROM df_orders",
        "SELECT * FROM df_orders WHERE a IS DISTINCT FROM region",
        "WITH RECURSIVE r(n) USING KEY (n) AS (SELECT 1 UNION SELECT n + 1 FROM r) SELECT * FROM r, df_orders",
        "SELECT * FROM range(10), unnest([1, 2]), df_orders o, o.items",
        "SELECT * FROM (df_orders a JOIN df_orders b ON a.x = b.x)",
        "SELECT (SELECT max(x) FROM df_orders), y FROM df_orders",
        'SELECT * FROM "df_orders"',
        "SELECT column_name FROM (DESCRIBE df_orders)",
        "SELECT * FROM (SUMMARIZE df_orders) s JOIN (DESC df_orders) d USING (column_name)",
        "SELECT * FROM (DESCRIBE SELECT amount FROM «OML405 df_ordrs»), (SHOW TABLES), «OML405 other»",
        "SELECT * FROM DF_ORDERS",
        "SELECT * FROM information_schema.tables",
        "SELECT glob FROM df WHERE name GLOB ('a*')",
        "«OML401 '  '»",
        "«OML401 ;»",
        "SELECT 1; «OML402 SELECT» 2",
        "«OML403 COPY» df TO 'x.csv'",
        "«OML403 insert» INTO df VALUES (1)",
        "«OML403 CREATE» TABLE x AS SELECT 1",
        "«OML403 ATTACH» 'x.db'",
        "«OML403 PRAGMA» version",
        "«OML403 INSTALL» httpfs; LOAD httpfs",
        "«OML403 SET» threads = 1",
        "«OML403 SELEC» 1",
        "«OML403 nonsense» 1",
        "WITH a AS (SELECT 1) «OML403 DELETE» FROM df",
        "SELECT * FROM «OML404 read_csv_auto»('/etc/passwd')",
        "SELECT * FROM «OML404 glob»('*')",
        "SELECT «OML404 getenv»('HOME')",
        "SELECT * FROM «OML404 '/etc/passwd'»",
        "SELECT * FROM df, «OML404 'data.parquet'»",
        'SELECT * FROM «OML404 "data/orders.csv"»',
        "SELECT * FROM «OML405 df_order»",
        "SELECT * FROM «OML405 df_users»",
        "SELECT * FROM «OML405 orders»",
        "SELECT * FROM df_orders JOIN «OML405 df_user» USING (id)",
        "SELECT * FROM df_orders o, «OML405 other» p WHERE o.id = p.id",
        "SELECT * FROM df_orders a JOIN df_orders b USING (id), «OML405 df_x»",
        "SELECT * FROM (SELECT * FROM «OML405 df_x»)",
        "WITH a AS (SELECT * FROM «OML405 df_x») SELECT * FROM a",
        "«OML405 df_x»".join(["SELECT *\nFROM ", "\nWHERE id > 1"]),
        "SELECT «OML408 'a»b",
        "SELECT 1 «OML408 /*» comment",
    ],
)
def test_queries(check, query):
    check(pipeline(query))


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM df_orders JOIN df_users USING (id)",
        "SELECT * FROM «OML406 df»",
        "SELECT * FROM df_orders, «OML406 input_df»",
    ],
)
def test_queries_over_two_steps(check, query):
    check(pipeline(query, needs="orders, users"))


def test_the_data_of_another_step_is_taken_by_a_fix(check, mend):
    text = pipeline("SELECT * FROM df_users", needs="orders")
    mended = mend(text, "OML405")
    assert mended == text.replace("needs: [orders]", "needs: [orders, users]")
    check(mended)


def test_the_step_before_is_kept_when_another_is_needed(check, mend):
    text = pipeline("SELECT * FROM df_orders JOIN df_users USING (id)").replace("    needs: [orders]\n", "")
    mended = mend(text, "OML405")
    assert mended == text.replace("mode: transform\n", "mode: transform\n    needs: [users, orders]\n")
    check(mended)


def test_no_table_is_unknown_while_a_reference_is_broken(check):
    check(pipeline("SELECT * FROM df_oders", needs="«OML301 oders»"))


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM df WHERE a = ${params.n}",
        "SELECT * FROM df WHERE a = '${params.text}'",
        "SELECT * FROM df WHERE a = «OML407 ${params.text}»",
        "SELECT * FROM df_${params.name}",
        "SELECT * FROM df WHERE a IN «OML409 ${params.none}»",
        "SELECT * FROM df -- ${params.gone} ${OTHER}",
        "«OML407 ${params.query}»",
    ],
)
def test_parameters_in_sql(check, query):
    declared = {"n": "1", "text": "a b", "name": "orders", "none": "[]", "query": "SELECT 1"}
    used = "".join(f"  {name}: {value}\n" for name, value in declared.items() if f"params.{name}}}" in query)
    check(pipeline(query.replace("-- ", "\n-- "), top=f"params:\n{used}" if used else ""))


def test_a_profile_can_break_a_query(check):
    top = "params: {n: 1}\nprofiles: {prod: {params: {n: a b}}}\n".replace("n: 1", "n: {default: x}")
    found = check(pipeline("SELECT * FROM df WHERE a = «OML407 ${params.n}»", top=top)).diagnostics
    assert "profile `prod`" in found[0].message


@pytest.mark.parametrize(
    ("before", "code", "after"),
    [
        ("SELECT * FROM df_oders", "OML405", "SELECT * FROM df_orders"),
        ("SELECT * FROM orders", "OML405", "SELECT * FROM df_orders"),
        ("SELEC 1", "OML403", "SELECT 1"),
        ("SELECT *\nFROM df_oders\n", "OML405", "SELECT *\nFROM df_orders\n"),
    ],
)
def test_fixes(mend, before, code, after):
    assert mend(pipeline(before), code) == pipeline(after)


def test_quotes_are_put_around_a_text(check, mend):
    text = pipeline("SELECT * FROM df WHERE a = ${params.t}", top="params: {t: a b}\n")
    mended = mend(text, "OML407")
    assert mended == text.replace("${params.t}", "'${params.t}'")
    check(mended)


def test_ranges_are_right_inside_every_style_of_text(check):
    for query in (
        '"SELECT \\"a\\" FROM «OML405 df_x»"',
        "'SELECT ''a'' FROM «OML405 df_x»'",
        ">-\n        FROM\n        «OML405 df_x»",
    ):
        check(pipeline("QUERY").replace("QUERY", query))
