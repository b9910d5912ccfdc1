"""The questions put to PostgreSQL's own catalog (version 12 and later), each once for all tables."""

from __future__ import annotations

_RELATIONS = """
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"""

# Tables, partitioned tables, views, materialized views and foreign tables; not the partitions themselves. Names that
# begin with pg_ are kept for PostgreSQL.
_OURS = """
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
  AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%%'"""

_USABLE = "pg_catalog.has_schema_privilege(n.oid, 'USAGE')"
_WHOLE = "pg_catalog.has_table_privilege(c.oid, 'SELECT')"
_SOME = "pg_catalog.has_any_column_privilege(c.oid, 'SELECT')"

SERVER = f"""
SELECT pg_catalog.current_schema(), pg_catalog.current_setting('server_version'), current_user,
       (pg_catalog.array_agg(name ORDER BY name) FILTER (WHERE NOT readable))[:4],
       pg_catalog.count(*) FILTER (WHERE NOT readable),
       pg_catalog.count(*) FILTER (WHERE readable AND NOT whole)
FROM (SELECT n.nspname || '.' || c.relname AS name, {_USABLE} AND {_WHOLE} AS whole,
             {_USABLE} AND ({_WHOLE} OR {_SOME}) AS readable {_RELATIONS} {_OURS} OFFSET 0) AS relations"""

TABLES = f"""
SELECT c.oid::bigint, n.nspname, c.relname, c.relkind::text, c.reltuples::bigint, d.description {_RELATIONS}
LEFT JOIN pg_catalog.pg_description d
  ON d.objoid = c.oid AND d.classoid = 'pg_catalog.pg_class'::regclass AND d.objsubid = 0 {_OURS}"""

CHOSEN = """
  AND (n.nspname::text, c.relname::text) IN
      (SELECT * FROM ROWS FROM (pg_catalog.unnest(%(schemas)s::text[]), pg_catalog.unnest(%(tables)s::text[])))"""

# The many rows of this one say of their table its number alone.
COLUMNS = f"""
SELECT c.oid::bigint, a.attnum, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.atttypid::bigint,
       a.attnotnull, a.attgenerated <> '', d.description {_RELATIONS}
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_description d
  ON d.objoid = c.oid AND d.classoid = 'pg_catalog.pg_class'::regclass AND d.objsubid = a.attnum {_OURS}
  AND {_USABLE} AND ({_WHOLE} OR pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT'))"""

UNIQUE_INDEXES = f"""
SELECT c.oid::bigint, i.indisprimary, i.indkey::int2[], i.indnkeyatts {_RELATIONS}
JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL {_OURS}"""

# A reference to a partitioned table is there once more for each partition; these have a parent.
FOREIGN_KEYS = f"""
SELECT c.oid::bigint, k.conkey, n.nspname, rn.nspname, rc.relname,
       (SELECT pg_catalog.array_agg(a.attname::text ORDER BY p.place)
          FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY AS p (number, place)
          JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = p.number) {_RELATIONS}
JOIN pg_catalog.pg_constraint k ON k.conrelid = c.oid AND k.contype = 'f' AND k.conparentid = 0
JOIN pg_catalog.pg_class rc ON rc.oid = k.confrelid
JOIN pg_catalog.pg_namespace rn ON rn.oid = rc.relnamespace {_OURS}"""

# Enums, domains, and arrays of them: what is behind a type that the Arrow types alone do not know.
TYPES = """
SELECT t.oid::bigint, t.typtype::text, t.typbasetype::bigint, t.typelem::bigint, t.typnotnull,
       pg_catalog.format_type(t.typbasetype, t.typtypmod),
       CASE t.typtype WHEN 'e' THEN
         (SELECT pg_catalog.array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e
           WHERE e.enumtypid = t.oid) END
FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_type item ON item.oid = t.typelem AND t.typlen = -1
WHERE t.typnamespace <> 'pg_catalog'::regnamespace
  AND (t.typtype IN ('e', 'd') OR item.typtype IN ('e', 'd'))"""
