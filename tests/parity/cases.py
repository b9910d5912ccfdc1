"""The table of cases: projects with a pipeline each, which must end alike wherever they run."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

HEAD = 'oml_version: "0.1.0"\nname: {name}\n'


@dataclass(frozen=True)
class Case:
    """A pipeline and the project around it.

    ``code``: how ``osiris run`` ends; ``make`` makes files that are no text; ``writes``: the files that a run changes.
    """

    name: str
    oml: str
    code: int = 0
    files: Mapping[str, str] = field(default_factory=dict)
    make: Callable[[Path], None] = lambda root: None
    arguments: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    writes: tuple[str, ...] = ()

    def lay_out(self, root: Path) -> str:
        """Make the project in the new folder ``root``; the path of its pipeline."""
        files = {
            "osiris.yaml": "# a project\n",
            **self.files,
            "pipeline.oml.yaml": HEAD.format(name=self.name) + self.oml,
        }
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
        self.make(root)
        return "pipeline.oml.yaml"


def _database(path: str, *statements: str) -> Callable[[Path], None]:
    def make(root: Path) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(root / path)) as database, database:
            for statement in statements:
                database.execute(statement)

    return make


SHAPES = Case(
    "shapes",
    # Names beyond ASCII, a pattern as input, a join of two upstream steps, no rows at all, three formats, a time zone.
    """\
steps:
  - {id: many, component: filesystem.csv_extractor, mode: read, config: {path: "vstupy/část-*.csv"}}
  - {id: names.2, component: filesystem.json_extractor, mode: read, needs: [], config: {path: vstupy/jména.jsonl}}
  - id: both
    component: duckdb.processor
    mode: transform
    needs: [many, names.2]
    config:
      query: |
        SELECT m.id, n."jméno", m.amount, m.amount / 3 AS "třetina", CAST('2026-02-28 12:00:00' AS TIMESTAMP) AS kdy,
               CAST(m.amount AS DECIMAL(18, 4)) AS přesně, [m.id, NULL] AS seznam, CAST(NULL AS VARCHAR) AS nic,
               CAST(TIMESTAMPTZ '2026-02-28 12:00:00+00' AS VARCHAR) AS pásmo
        FROM df_many m LEFT JOIN df_names_2 n USING (id)
  - id: none
    component: duckdb.processor
    mode: transform
    needs: [both]
    config: {query: SELECT * FROM df_both WHERE false}
  - {id: csv, component: filesystem.csv_writer, mode: write, needs: [both], config: {path: "výstup/ů ž 😀.csv"}}
  - {id: parquet, component: filesystem.parquet_writer, mode: write, needs: [both], config: {path: výstup/vše.parquet}}
  - {id: json, component: filesystem.json_writer, mode: write, needs: [both], config: {path: výstup/vše.json}}
  - {id: empty-csv, component: filesystem.csv_writer, mode: write, needs: [none], config: {path: výstup/prázdné.csv}}
  - id: empty
    component: filesystem.parquet_writer
    mode: write
    needs: [none]
    config: {path: výstup/prázdné.parquet}
""",
    files={
        "vstupy/část-1.csv": "id,amount\n1,0.1\n2,1e10\n",
        "vstupy/část-2.csv": "id,amount\n3,-7.25\n4,\n",
        "vstupy/jména.jsonl": '{"id": 1, "jméno": "Žluťoučký"}\n'
        '{"id": 2, "jméno": "line\\nbreak, \\"quote\\""}\n'
        '{"id": 4, "jméno": "漢字😀"}\n',
    },
    writes=(
        "výstup/prázdné.csv",
        "výstup/prázdné.parquet",
        "výstup/ů ž 😀.csv",
        "výstup/vše.json",
        "výstup/vše.parquet",
    ),
)

DATABASES = Case(
    "databases",
    # A table of the project's own SQLite file is updated, another one made; what is read is of the same file.
    """\
steps:
  - {id: old, component: sqlite.extractor, mode: read, config: {connection: "@sqlite.shop", table: stock}}
  - {id: new, component: filesystem.csv_extractor, mode: read, needs: [], config: {path: data/news.csv}}
  - id: merged
    component: duckdb.processor
    mode: transform
    needs: [old, new]
    config:
      query: |
        SELECT n.id, n.name, n.left + coalesce(o.left, 0) AS "left" FROM df_new n LEFT JOIN df_old o USING (id)
  - id: upsert
    component: sqlite.writer
    mode: write
    needs: [merged]
    config: {connection: "@sqlite.shop", table: stock, write_mode: upsert, primary_key: id}
  - id: made
    component: duckdb.writer
    mode: write
    needs: [upsert]
    inputs: {df: "${merged.df}"}
    config: {path: out/made.duckdb, table: merged, write_mode: replace}
""",
    files={
        "osiris_connections.yaml": "connections:\n  sqlite:\n    shop: {path: data/shop.db}\n",
        "data/news.csv": "id,name,left\n2,čaj,5\n3,káva,9\n",
    },
    make=_database(
        "data/shop.db",
        'CREATE TABLE stock (id INTEGER PRIMARY KEY, name TEXT NOT NULL, "left" INTEGER)',
        "INSERT INTO stock VALUES (1, 'voda', 1), (2, 'tea', 2)",
        "CREATE TABLE untouched (a TEXT)",
        "INSERT INTO untouched VALUES ('as it was')",
    ),
    writes=("data/shop.db", "out/made.duckdb"),
)

PARAMS = Case(
    "params",
    # From the command line, the environment, a profile and a default; one is sensitive; a connection has a variable.
    """\
params:
  floor: {type: number, default: 0}
  label: {type: string, default: none}
  token: {type: string, sensitive: true}
  ids: {type: list, default: [1, 2]}
profiles: {strict: {params: {floor: 2.5}}}
steps:
  - id: rows
    component: filesystem.csv_extractor
    mode: read
    config: {connection: "@filesystem.data", path: rows.csv}
  - id: chosen
    component: duckdb.processor
    mode: transform
    config:
      query: |
        SELECT id, amount, '${params.label}' AS label, md5('${params.token}') AS digest
        FROM df_rows WHERE amount >= ${params.floor} AND id IN ${params.ids}
  - {id: save, component: filesystem.csv_writer, mode: write, config: {path: out/chosen.csv}}
  - id: not-this
    component: filesystem.csv_writer
    mode: write
    inputs: {df: "${rows.df}"}
    config: {path: out/not.csv}
""",
    files={
        "osiris_connections.yaml": "connections:\n  filesystem:\n    data: {base_dir: '${PLACE_OF_DATA}'}\n",
        ".env": "PLACE_OF_DATA=data\nOSIRIS_PARAM_LABEL=it's\n",
        "data/rows.csv": "id,amount\n1,1\n2,2.5\n3,4\n",
    },
    arguments=("--profile", "strict", "--param", "ids=[2, 3]", "--to", "save"),
    environ={"OSIRIS_PARAM_TOKEN": "sécret-of-the-run"},
    writes=("out/chosen.csv",),
)

FAILING = Case(
    "failing",
    # What depends on the step that fails is skipped, what does not is finished, and an old output stays.
    """\
steps:
  - {id: rows, component: filesystem.csv_extractor, mode: read, config: {path: rows.csv}}
  - id: wrong
    component: duckdb.processor
    mode: transform
    config: {query: SELECT CAST(word AS INTEGER) AS n FROM df_rows}
  - {id: lost, component: filesystem.csv_writer, mode: write, needs: [wrong], config: {path: out/lost.csv}}
  - {id: kept, component: filesystem.csv_writer, mode: write, needs: [rows], config: {path: out/kept.csv}}
""",
    code=1,
    files={"rows.csv": "word\n1\nslovo\n", "out/lost.csv": "of an earlier run\n"},
    writes=("out/kept.csv",),
)

MISSING = Case(
    "missing",
    # What is not there when the run begins can be brought before it is resumed.
    """\
steps:
  - {id: odd, component: odd.source, mode: read, config: {rows: 4}}
  - {id: kept, component: filesystem.csv_writer, mode: write, config: {path: out/kept.csv}}
  - {id: rows, component: filesystem.csv_extractor, mode: read, needs: [], config: {path: later/rows.csv}}
  - id: both
    component: duckdb.processor
    mode: transform
    needs: [odd, rows]
    config: {query: "FROM df_odd, df_rows"}
  - {id: save, component: filesystem.csv_writer, mode: write, config: {path: out/saved.csv}}
""",
    code=1,
    writes=("out/kept.csv",),
)

ATTEMPTS = Case(
    "attempts",
    # A component of another package: it fails twice, prints, and has events and metrics of its own.
    """\
steps:
  - id: odd
    component: odd.source
    mode: read
    retry: {attempts: 3, delay: 0.01}
    config: {failures: 2, say: tištěno}
  - {id: save, component: filesystem.csv_writer, mode: write, config: {path: out/odd.csv}}
""",
    writes=("out/odd.csv",),
)

TOO_LONG = Case(
    "too-long",
    """\
steps:
  - {id: odd, component: odd.source, mode: read, timeout: 1, config: {seconds: 600}}
  - {id: save, component: filesystem.csv_writer, mode: write, config: {path: out/odd.csv}}
""",
    code=1,
)


def large(megabytes: int) -> Case:
    """A pipeline that writes so many megabytes that no packing makes small, as one file."""
    rows = megabytes * 1_000_000 // 74
    return Case(
        f"large-{megabytes}",
        f"""\
steps:
  - {{id: one, component: filesystem.csv_extractor, mode: read, config: {{path: one.csv}}}}
  - id: many
    component: duckdb.processor
    mode: transform
    config:
      query: SELECT range AS n, md5(range::VARCHAR) || md5((range + one)::VARCHAR) AS text FROM range({rows}), df_one
  - {{id: save, component: filesystem.csv_writer, mode: write, config: {{path: out/large.csv}}}}
""",
        files={"one.csv": "one\n1\n"},
        writes=("out/large.csv",),
    )


MEGABYTES = 200 if os.environ.get("OSIRIS_SOAK") else 20
CASES = (SHAPES, DATABASES, PARAMS, FAILING, ATTEMPTS, TOO_LONG, large(MEGABYTES))
