"""Queries of every shape that DuckDB knows, over ``TABLES``: each binds, and each gives the columns that it says."""

from __future__ import annotations

# ruff: noqa: E501

TABLES = {
    "df_orders": {
        "id": "BIGINT",
        "customer_id": "BIGINT",
        "amount": "DECIMAL(12,2)",
        "country": "VARCHAR",
        "ts": "TIMESTAMP",
        "place": "STRUCT(city VARCHAR, zip VARCHAR)",
        "tags": "VARCHAR[]",
    },
    "df_customers": {"id": "BIGINT", "name": "VARCHAR", "country": "VARCHAR", "vip": "BOOLEAN"},
    "df_rates": {"currency": "VARCHAR", "rate": "DOUBLE", "Valid From": "DATE", "attributes": "MAP(VARCHAR, VARCHAR)"},
}

SHAPES = """
SELECT id, amount FROM df_orders
SELECT o.id, o.amount FROM df_orders o
SELECT o.id, o.amount FROM df_orders AS o
SELECT df_orders.id, DF_ORDERS.Amount FROM df_orders
SELECT "id", "AMOUNT" FROM df_orders
SELECT id AS key, amount value FROM df_orders
SELECT key: id, total: amount * 2 FROM df_orders
SELECT o.id FROM o: df_orders
SELECT DISTINCT country FROM df_orders
SELECT DISTINCT ON (country) country, amount FROM df_orders ORDER BY country, amount DESC
SELECT ALL country FROM df_orders
SELECT * FROM df_orders
SELECT o.* FROM df_orders o
SELECT *, amount * 2 AS doubled FROM df_orders
SELECT * EXCLUDE (place, tags) FROM df_orders
SELECT * EXCLUDE amount FROM df_orders
SELECT o.* EXCLUDE (amount) FROM df_orders o
SELECT * REPLACE (amount + 1 AS amount) FROM df_orders
SELECT * EXCLUDE (ts) REPLACE (upper(country) AS country) FROM df_orders
SELECT * RENAME (amount AS total) FROM df_orders
SELECT total FROM (SELECT * RENAME (amount AS total) FROM df_orders)
SELECT id FROM (SELECT * RENAME (o.id AS k) FROM df_orders o JOIN df_customers c ON true)
SELECT 5! x, (2 + 1)! y FROM df_orders
SELECT xFF FROM (SELECT 0xFF)
SELECT id FROM (SELECT list(country ORDER BY ALL) FROM df_orders)
SELECT * LIKE 'c%' FROM df_orders
SELECT * SIMILAR TO 'c.*' FROM df_orders
SELECT COLUMNS('c.*') FROM df_orders
SELECT COLUMNS(* EXCLUDE (place, tags)) FROM df_orders
SELECT max(COLUMNS(['id', 'amount'])) FROM df_orders
SELECT COLUMNS(lambda c: c LIKE 'a%') FROM df_orders
SELECT id, FROM df_orders
FROM df_orders
FROM df_orders SELECT id, amount
FROM df_orders o SELECT o.id WHERE o.amount > 1 ORDER BY o.ts
FROM df_orders WHERE amount > 10
FROM (FROM df_orders SELECT id AS key) SELECT key
VALUES (1, 'a'), (2, 'b')
SELECT col0 FROM (VALUES (1, 2))
SELECT a, b FROM (VALUES (1, 2)) v(a, b)
SELECT v.a FROM (VALUES (1, 2)) AS v(a)
SELECT 1 AS one, 'x' AS text
SELECT amount + 1, -amount, amount % 2, amount ** 2, amount // 3, id << 1, id & 3, ~id FROM df_orders
SELECT country || '-' || id, country ^@ 'C', country ~ 'C.*', country !~~ 'D%' FROM df_orders
SELECT id FROM df_orders WHERE amount BETWEEN 1 AND 10 AND country IN ('CZ', 'DE') OR NOT (ts IS NULL)
SELECT id FROM df_orders WHERE country NOT IN ('CZ') AND ts IS NOT NULL AND amount NOT BETWEEN 1 AND 2
SELECT id FROM df_orders WHERE country LIKE 'C%' ESCAPE '!' AND country NOT ILIKE 'd%' AND country GLOB 'C*'
SELECT id FROM df_orders WHERE country IS DISTINCT FROM 'CZ' AND country IS NOT DISTINCT FROM 'DE'
SELECT id FROM df_orders WHERE country NOTNULL AND ts ISNULL
SELECT id FROM df_orders WHERE country SIMILAR TO 'C.*' COLLATE nocase
SELECT country COLLATE nocase AS c FROM df_orders
SELECT CASE WHEN amount > 10 THEN 'big' ELSE country END AS size FROM df_orders
SELECT CASE country WHEN 'CZ' THEN 1 WHEN 'DE' THEN 2 END AS code FROM df_orders
SELECT CAST(amount AS DOUBLE), amount::DECIMAL(10, 2), TRY_CAST(country AS INTEGER), ts::DATE FROM df_orders
SELECT amount::DOUBLE PRECISION AS d, ts::TIMESTAMP WITH TIME ZONE AS z, [id]::BIGINT[] AS l FROM df_orders
SELECT extract(year FROM ts) AS y, date_trunc('month', ts) AS m, ts + INTERVAL 1 DAY AS t FROM df_orders
SELECT ts - INTERVAL '3 days' AS a, ts + INTERVAL (id) MINUTE AS b, ts AT TIME ZONE 'UTC' AS c FROM df_orders
SELECT DATE '2026-01-01' AS d, TIMESTAMP '2026-01-01 10:00:00' AS t, ts > DATE '2026-01-01' AS late FROM df_orders
SELECT substring(country FROM 1 FOR 2) AS s, trim(BOTH ' ' FROM country) AS t, position('C' IN country) AS p FROM df_orders
SELECT overlay(country PLACING 'x' FROM 1 FOR 1) AS o, left(country, 1) AS l, right(country, 1) AS r FROM df_orders
SELECT coalesce(country, 'x'), nullif(country, ''), if(amount > 1, id, 0), greatest(id, 1) FROM df_orders
SELECT place.city, place['zip'] AS zip, o.place.city AS c FROM df_orders o
SELECT struct_extract(place, 'city') AS c, (place).zip AS z FROM df_orders
SELECT place.* FROM df_orders
SELECT unnest(place) FROM df_orders
SELECT city FROM (SELECT unnest(place) FROM df_orders)
SELECT {'a': id, 'b': country} AS s FROM df_orders
SELECT {a: id}.a AS a FROM df_orders
SELECT s.a FROM (SELECT {'a': id} AS s FROM df_orders)
SELECT struct_pack(k := id, v := amount) AS s, row(id, amount) AS r FROM df_orders
SELECT MAP {'a': id} AS m, attributes['x'] AS x FROM df_orders, df_rates
SELECT tags[1], tags[1:2], tags[-1], [id, 2] AS l, ARRAY[id] AS a FROM df_orders
SELECT list_transform(tags, lambda t: upper(t) || country) AS t FROM df_orders
SELECT list_filter(tags, lambda t, i: i > 1) AS t FROM df_orders
SELECT list_reduce([1, 2], lambda a, b: a + b) AS s
SELECT [upper(t) FOR t IN tags IF t <> country] AS u FROM df_orders
SELECT unnest(tags) AS tag, id FROM df_orders
SELECT tag FROM (SELECT unnest(tags) AS tag FROM df_orders) WHERE tag <> ''
SELECT o.id, t.tag FROM df_orders o, unnest(o.tags) AS t(tag)
SELECT o.id, tag FROM df_orders o CROSS JOIN LATERAL unnest(o.tags) AS t(tag)
SELECT o.id, k FROM df_orders o, (SELECT o.amount * 2 AS k) x
SELECT o.id, x.k FROM df_orders o, LATERAL (SELECT amount * 2 AS k) x
SELECT x.k FROM df_customers c, LATERAL (SELECT id AS k) x, LATERAL (SELECT x.* FROM df_orders LIMIT 1) y
SELECT amount * 2 AS d, alias.d + 1 AS e FROM df_orders WHERE alias.d > 1 ORDER BY alias.e
SELECT range, id FROM range(3), df_orders
SELECT g.n FROM generate_series(1, 3) g(n)
SELECT id FROM df_orders, repeat_row(1, num_rows = 2)
SELECT country.upper(), o.country.lower().length() AS n FROM df_orders o
SELECT '{"a": 1}'::JSON -> 'a' AS j, json_extract(country, '$.a') AS k, country::JSON ->> '$.a' AS l FROM df_orders
SELECT count(*), sum(amount) FROM df_orders
SELECT country, count(*) AS n, sum(amount) AS total FROM df_orders GROUP BY country
SELECT country, sum(amount) AS total FROM df_orders GROUP BY ALL ORDER BY ALL
SELECT country, sum(amount) FROM df_orders GROUP BY 1 ORDER BY 2 DESC
SELECT country AS c, sum(amount) AS total FROM df_orders GROUP BY c HAVING total > 10 ORDER BY total DESC NULLS LAST
SELECT country, sum(amount) AS total FROM df_orders GROUP BY country HAVING sum(amount) > 5
SELECT country, grouping(country), count(*) AS n FROM df_orders GROUP BY ROLLUP (country)
SELECT country, customer_id, count(*) FROM df_orders GROUP BY GROUPING SETS ((country), (customer_id), ())
SELECT country, customer_id, count(*) FROM df_orders GROUP BY CUBE (country, customer_id)
SELECT year(ts) AS y, month(ts) AS m, sum(amount) FROM df_orders GROUP BY y, m ORDER BY y, m
SELECT count(DISTINCT country), sum(amount) FILTER (WHERE country = 'CZ') AS cz FROM df_orders
SELECT string_agg(country, ',' ORDER BY amount DESC) AS all_of_them, list(id ORDER BY ts) AS ids FROM df_orders
SELECT quantile_cont(amount, 0.5) AS m, arg_max(id, amount) AS best, first(country) AS f FROM df_orders
SELECT country, sum(amount) EXPORT_STATE FROM df_orders GROUP BY ALL
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) AS median FROM df_orders
SELECT id, row_number() OVER (PARTITION BY country ORDER BY amount DESC) AS n FROM df_orders
SELECT id, sum(amount) OVER (ORDER BY ts ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS s FROM df_orders
SELECT id, avg(amount) OVER w AS a, lag(amount, 1, 0) OVER w AS l FROM df_orders WINDOW w AS (PARTITION BY country ORDER BY ts)
SELECT id, last_value(amount IGNORE NULLS) OVER (ORDER BY ts) AS l FROM df_orders
SELECT id FROM df_orders QUALIFY row_number() OVER (PARTITION BY country ORDER BY ts) = 1
SELECT id, rank() OVER (ORDER BY amount) AS r FROM df_orders QUALIFY r <= 3
SELECT amount * 2 AS d, d + 1 AS e, e * d AS f FROM df_orders WHERE d > 1
SELECT amount AS a FROM df_orders WHERE a > 1 ORDER BY a
SELECT upper(country) AS country FROM df_orders ORDER BY country
SELECT id AS amount, amount AS id FROM df_orders
SELECT id, id FROM df_orders
SELECT id_1 FROM (SELECT id, id FROM df_orders)
SELECT id_1, id FROM (SELECT o.id, c.id FROM df_orders o JOIN df_customers c ON o.customer_id = c.id)
SELECT o.id, c.name FROM df_orders o JOIN df_customers c ON c.id = o.customer_id
SELECT o.id, c.name FROM df_orders o LEFT JOIN df_customers c ON c.id = o.customer_id AND c.vip
SELECT amount, name, vip FROM df_orders o JOIN df_customers c ON customer_id = c.id
SELECT o.id, c.name FROM df_orders o, df_customers c WHERE c.id = o.customer_id
SELECT id, amount, name FROM df_orders JOIN df_customers USING (id)
SELECT id, o.country, c.country FROM df_orders o FULL JOIN df_customers c USING (id)
SELECT id, country, amount, vip FROM df_orders RIGHT OUTER JOIN df_customers USING (id, country)
SELECT id, name, amount FROM df_orders NATURAL JOIN df_customers
SELECT * FROM df_orders NATURAL LEFT JOIN df_customers
SELECT * FROM df_orders JOIN df_customers USING (id)
SELECT * FROM df_orders o JOIN df_customers c ON o.id = c.id
SELECT country_1 FROM (SELECT * FROM df_orders o JOIN df_customers c ON o.id = c.id)
SELECT o.*, c.name FROM df_orders o INNER JOIN df_customers c ON c.id = o.customer_id
SELECT * FROM df_orders SEMI JOIN df_customers USING (id)
SELECT amount FROM df_orders o ANTI JOIN df_customers c ON o.customer_id = c.id
SELECT o.id FROM df_orders o CROSS JOIN df_rates r WHERE r.rate > 1
SELECT amount, rate FROM df_orders POSITIONAL JOIN df_rates
SELECT o.id, c.name FROM df_orders o ASOF JOIN df_customers c ON o.customer_id = c.id AND o.ts >= c.id::VARCHAR::TIMESTAMP
SELECT o.id, c.name, r.rate FROM df_orders o JOIN (df_customers c JOIN df_rates r ON r.currency = c.country) ON c.id = o.id
SELECT a.id, b.id AS other FROM df_orders a JOIN df_orders b ON a.customer_id = b.customer_id AND a.id < b.id
SELECT id FROM df_orders WHERE customer_id IN (SELECT id FROM df_customers WHERE vip)
SELECT id FROM df_orders o WHERE EXISTS (SELECT 1 FROM df_customers c WHERE c.id = o.customer_id AND vip)
SELECT id FROM df_orders WHERE NOT EXISTS (SELECT name FROM df_customers WHERE name = df_orders.country)
SELECT id, (SELECT max(name) FROM df_customers c WHERE c.id = o.customer_id) AS name FROM df_orders o
SELECT id FROM df_orders WHERE amount > (SELECT avg(amount) FROM df_orders)
SELECT id FROM df_orders WHERE amount = ANY (SELECT id FROM df_customers)
SELECT id FROM df_orders WHERE (id, country) IN (SELECT id, country FROM df_customers)
SELECT amount AS k FROM df_orders WHERE EXISTS (SELECT 1 FROM df_customers WHERE id > k)
SELECT id FROM df_orders WHERE 'x' IN tags
SELECT ARRAY(SELECT name FROM df_customers) AS names
SELECT s.k FROM (SELECT id AS k FROM df_orders) s
SELECT s.id, s.name FROM (SELECT * FROM df_customers) s WHERE s.vip
SELECT total FROM (SELECT country, sum(amount) AS total FROM df_orders GROUP BY country) WHERE country <> 'CZ'
SELECT "sum(amount)" FROM (SELECT country, sum(amount) FROM df_orders GROUP BY country)
SELECT "count_star()", country FROM (SELECT country, count(*) FROM df_orders GROUP BY 1)
SELECT n FROM (SELECT id AS n FROM df_orders UNION ALL SELECT id FROM df_customers)
SELECT a, b FROM (SELECT id, country FROM df_orders) AS s(a, b)
SELECT a, country FROM (SELECT id, country FROM df_orders) AS s(a)
SELECT k, amount FROM df_orders o(k)
WITH t AS (SELECT id, amount AS a FROM df_orders) SELECT id, a FROM t
WITH t(k, v) AS (SELECT id, amount FROM df_orders) SELECT k, v FROM t
WITH t AS (SELECT id FROM df_orders), u AS (SELECT id AS k FROM t) SELECT k FROM u JOIN t ON t.id = u.k
WITH t AS MATERIALIZED (SELECT id FROM df_orders), u AS NOT MATERIALIZED (FROM t) SELECT id FROM u
WITH t AS (WITH u AS (SELECT id AS k FROM df_orders) SELECT k FROM u) SELECT k FROM t
WITH df_orders AS (SELECT id AS mine FROM df_customers) SELECT mine FROM df_orders
WITH unused AS (SELECT nothing FROM df_orders) SELECT id FROM df_orders
WITH t AS (SELECT id FROM df_orders) SELECT name, (SELECT max(id) FROM t) AS m FROM df_customers
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i FROM n
WITH RECURSIVE p AS (SELECT id, 0 AS level FROM df_orders UNION ALL SELECT id, level + 1 FROM p WHERE level < 3) SELECT id, level FROM p
SELECT id, country FROM df_orders UNION SELECT id, country FROM df_customers ORDER BY country
SELECT id AS k FROM df_orders UNION ALL SELECT id FROM df_customers ORDER BY k LIMIT 5
SELECT id, country FROM df_orders UNION ALL BY NAME SELECT name, country FROM df_customers
SELECT name, id FROM (SELECT id FROM df_orders UNION BY NAME SELECT name FROM df_customers)
SELECT id FROM df_orders EXCEPT SELECT id FROM df_customers INTERSECT SELECT id FROM df_customers
(SELECT id FROM df_orders) UNION (SELECT id FROM df_customers) ORDER BY id
(SELECT id, amount FROM df_orders ORDER BY ts LIMIT 3)
SELECT country FROM df_orders UNION ALL VALUES ('x')
SELECT id FROM df_orders ORDER BY amount DESC, country NULLS FIRST LIMIT 10 OFFSET 5
SELECT id FROM df_orders ORDER BY lower(country), -amount
SELECT id FROM df_orders LIMIT (SELECT count(*) // 2 FROM df_customers)
SELECT currency, "Valid From", r."valid from" FROM df_rates r
SELECT "Valid From" AS since FROM df_rates WHERE "Valid From" > '2026-01-01'
SELECT o FROM df_orders o
SELECT o.amount FROM df_orders o GROUP BY o.amount
SELECT current_date, current_timestamp, now(), today(), user FROM df_orders
SELECT date_diff('day', ts, current_date) AS age FROM df_orders
SELECT strftime(ts, '%Y') AS year, id AS month FROM df_orders ORDER BY year, month
SELECT hash(o) AS h, count(o.*) AS c FROM df_orders o GROUP BY ALL
SELECT #1, country FROM df_orders
SELECT regexp_replace(country, '(a)', '\\1', 'g') AS r, printf('%d', id) AS p FROM df_orders
SELECT id -- the key, not amuont
, /* custmer */ country FROM df_orders;
SELECT e.amount FROM df_orders e WHERE e.country = 'x' AND e.place.city = 'y'
SELECT typeof(id) AS t, id IS NULL AS missing, TRUE AS yes, NULL AS nothing FROM df_orders
SELECT approx_count_distinct(customer_id) AS n, mode(country) AS c, bool_and(amount > 0) AS b FROM df_orders
SELECT histogram(country) AS h, max_by(id, ts) AS m, min(ts) FILTER (amount > 1) AS f FROM df_orders
SELECT * FROM (SELECT *, row_number() OVER () AS n FROM df_orders) WHERE n = 1
SELECT list_aggregate(tags, 'count') AS n, len(tags) AS l, tags @> ['a'] AS has FROM df_orders
SELECT id FROM df_orders TABLESAMPLE 10%
SELECT id FROM df_orders USING SAMPLE 10 ROWS
PIVOT df_orders ON country IN ('CZ', 'DE') USING sum(amount) GROUP BY customer_id
SELECT * FROM (PIVOT df_orders ON country IN ('CZ') USING count(*))
UNPIVOT df_customers ON id, vip INTO NAME what VALUE how
SELECT name, what FROM (UNPIVOT df_customers ON id, vip INTO NAME what VALUE how)
DESCRIBE SELECT id FROM df_orders
SUMMARIZE df_orders
"""

REFUSED = """
SELECT b, upper(country) AS b FROM df_orders
SELECT o.id FROM df_orders
SELECT df_orders.id FROM df_orders o
SELECT c.name FROM df_orders o ANTI JOIN df_customers c ON o.customer_id = c.id
SELECT id FROM df_orders o(k)
SELECT amount FROM df_customers
SELECT amount FROM df_orders ORDER BY nme
SELECT x.id FROM (SELECT amount FROM df_orders) x
WITH t AS (SELECT id FROM df_orders) SELECT amount FROM t
WITH t AS (SELECT nme FROM df_orders) SELECT * FROM t
SELECT amount FROM (SELECT * EXCLUDE (amount) FROM df_orders)
SELECT amount FROM (SELECT * RENAME (amount AS total) FROM df_orders)
SELECT * EXCLUDE (nme) FROM df_orders
SELECT * REPLACE (1 AS nme) FROM df_orders
SELECT id FROM df_orders JOIN df_customers USING (name)
SELECT id FROM df_orders UNION SELECT id FROM df_customers ORDER BY nme
SELECT n FROM (SELECT id FROM df_orders UNION ALL SELECT id AS n FROM df_customers)
SELECT k FROM df_orders WHERE EXISTS (SELECT 1 AS k FROM df_customers)
SELECT k FROM df_orders, (SELECT name AS n FROM df_customers) s
SELECT list_transform(tags, lambda t: t) AS l, t FROM df_orders
SELECT sum(amount) OVER (PARTITION BY cuntry) FROM df_orders
SELECT country.upper(), cuntry FROM df_orders
SELECT amount AS a FROM df_orders JOIN df_customers c ON c.id = a
WITH df_orders AS (SELECT id AS mine FROM df_customers) SELECT id FROM df_orders
SELECT a.id FROM (VALUES (1)) a(k)
SELECT extract(year FROM tsx) FROM df_orders
FROM df_orders SELECT nme
"""


def queries(text: str) -> list[str]:
    """The queries of a list, one in each line; a line that starts with a comma belongs to the one before."""
    found: list[str] = []
    for line in text.strip().split("\n"):
        if line.startswith(","):
            found[-1] += f"\n{line}"
        else:
            found.append(line)
    return found
