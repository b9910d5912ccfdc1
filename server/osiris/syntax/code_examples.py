"""For every code of 0xx to 5xx the smallest document that shows it. Loaded for the documentation and for tests only.

Examples live in a project with the connections file ``CONNECTIONS``, the input file ``data/orders.csv`` and another
pipeline that is called ``weekly-orders``. An example that starts with ``connections:`` is such a file itself; one that
starts with ``# no connections file`` is in a project without one; one with ``# --profile NAME`` or ``# --param X=Y`` in
its first line is checked with that option. One that starts with ``# .env`` is that file, in a project whose only
parameter is ``region``; one that starts with ``{`` is ``osiris.schema.json``. Of ``@sqlite.shop`` the tables ``LOCKED``
are in that file, and ``FOUND`` were read a minute ago. The variable ``MYSQL_PASSWORD`` is set, and no other.
"""

from __future__ import annotations

CONNECTIONS = """\
connections:
  mysql:
    main: {host: localhost, database: shop, user: reader, password: "${MYSQL_PASSWORD}"}
    copy: {host: localhost, database: shop, user: reader, password: "${MYSQL_PASSWORD}"}
  sqlite:
    shop: {path: data/shop.db, default: true}
  graphql:
    main: {endpoint: "https://example.org/graphql", headers: {Accept: application/json}}
  supabase:
    main: {url: "https://shop.supabase.co", key: "${MYSQL_PASSWORD}"}
"""
FILES = ("data/orders.csv", "data/shop.db")
LOCKED = {"orders": ("id", "amount"), "regions": ("id",)}
FOUND = {"orders": ("id", "amount"), "regions": ("id", "name"), "customers": ("id", "name")}
PIPELINES = {"weekly-orders": ("pipelines/weekly.oml",)}

_TOP = "oml_version: 0.1.0\nname: orders\n"
_HEAD = _TOP + "steps:\n"
_READ = (
    "  - id: extract\n    component: filesystem.csv_extractor\n    mode: read\n    config: {path: data/orders.csv}\n"
)
_READ_2 = _READ.replace("extract\n    comp", "extract-2\n    comp")
_WRITE = "  - id: store\n    component: filesystem.csv_writer\n    mode: write\n    config: {path: out/orders.csv}\n"
_WRITE_2 = _WRITE.replace("store", "store-2").replace("out/orders", "out/copy")


def _read(lines: str) -> str:
    return _HEAD + _READ.replace("    config: {path: data/orders.csv}\n", lines)


def _config(line: str) -> str:
    return _read(f"    config:\n      path: data/orders.csv\n      {line}\n")


def _sql(query: str, *, top: str = _TOP, needs: str = "") -> str:
    more = _READ_2 if "extract-2" in needs else ""
    step = "  - id: total\n    component: duckdb.processor\n    mode: transform\n"
    return f"{top}steps:\n{_READ}{more}{step}{needs}    config:\n      query: {query}\n"


def _sqlite(lines: str) -> str:
    return _HEAD + f"  - id: extract\n    component: sqlite.extractor\n    mode: read\n    config:\n{lines}"


def _mysql(lines: str) -> str:
    return _HEAD + f"  - id: extract\n    component: mysql.extractor\n    mode: read\n    config:\n{lines}"


EXAMPLES: dict[str, str] = {
    "OML001": _HEAD + _READ + "    description: a: b\n",
    "OML002": _HEAD + "  - id: extract\n\t  component: filesystem.csv_extractor\n    mode: read\n",
    "OML003": _HEAD + _READ + '    description: "orders of the day\n',
    "OML004": _HEAD + _READ + "    descr\n",
    "OML005": _HEAD + _READ + "   description: orders\n",
    "OML006": _HEAD + _READ + "    mode: read\n",
    "OML007": _HEAD + _READ + "    description: *unknown\n",
    "OML008": "x-a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]\n"
    + "".join(f"x-{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcde", "bcdef", strict=True))
    + _HEAD
    + _READ,
    "OML009": "x-deep: " + "[" * 70 + "]" * 70 + "\n" + _HEAD + _READ,
    "OML011": _HEAD + _READ + "    description: orders\x01\n",
    "OML012": _HEAD + _READ + "---\nname: second\n",
    "OML013": "x-note: {[a, b]: c}\n" + _HEAD + _READ,
    "OML015": _HEAD + _READ + _READ_2.replace("- id", "  id"),
    "OML101": "# nothing here yet\n",
    "OML102": "- id: extract\n- id: store\n",
    "OML103": "oml_version: 0.1.0\nsteps:\n" + _READ,
    "OML104": "oml_version: 0.1\nname: orders\nsteps:\n" + _READ,
    "OML105": "oml_version: 2.0.0\nname: orders\nsteps:\n" + _READ,
    "OML106": "oml_version: 0.1.7\nname: orders\nsteps:\n" + _READ,
    "OML107": _TOP + "owner: finance\nsteps:\n" + _READ,
    "OML108": _TOP + "descripton: orders of the day\nsteps:\n" + _READ,
    "OML109": _TOP + "tasks:\n" + _READ,
    "OML110": "oml_version: 0.1.0\nname: ../orders\nsteps:\n" + _READ,
    "OML111": "oml_version: 0.1.0\nname: Daily Orders\nsteps:\n" + _READ,
    "OML112": "oml_version: 0.1.0\nname: weekly-orders\nsteps:\n" + _READ,
    "OML113": _TOP + "steps: []\n",
    "OML120": _HEAD + "  - extract\n",
    "OML121": _HEAD + _READ.replace("    mode: read\n", ""),
    "OML122": _HEAD + _READ.replace("id: extract", "id: ../extract"),
    "OML123": _HEAD + _READ + _READ.replace("id: extract", "id: Extract"),
    "OML124": _HEAD + _READ.replace("csv_extractor", "csv_extracter"),
    "OML125": _HEAD + _READ.replace("mode: read", "mode: extract"),
    "OML126": _HEAD + _READ.replace("mode: read", "mode: write"),
    "OML127": _HEAD + _READ + "    retry: often\n",
    "OML128": _HEAD + _READ + "    timeout: 5 minutes\n",
    "OML129": _HEAD
    + _READ
    + "  - id: load\n    component: acme.writer # of a plug-in that has no driver yet\n    mode: write\n"
    + "    needs: [extract]\n    config: {table: orders}\n",
    "OML140": _TOP
    + "params:\n  limit: {type: whole}\nsteps:\n"
    + _READ.replace("csv}", "csv, limit: '${params.limit}'}"),
    "OML141": _TOP + "params:\n  row limit: 5\nsteps:\n" + _READ,
    "OML142": _TOP
    + "params:\n  limit: {type: integer, default: many}\nsteps:\n"
    + _READ.replace("csv}", 'csv, limit: "${params.limit}"}'),
    "OML143": _TOP + "profiles:\n  prod: {params: {limit: 5}}\nsteps:\n" + _READ,
    "OML144": _TOP + "params:\n  limit: 5\nsteps:\n" + _READ,
    "OML145": "# --profile prod\n" + _HEAD + _READ,
    "OML146": "# --param limit=5\n" + _HEAD + _READ,
    "OML190": _HEAD + _READ + "    timeout: 5m # osiris: ignore[OML504]\n",
    "OML191": _HEAD + _READ + "    timeout: 5m # osiris: ignore[OML128]\n",
    "OML201": _read("    config: {header: true}\n"),
    "OML202": _config('delimitr: ";"'),
    "OML203": _config("limit: ten"),
    "OML204": _config("encoding: klingon"),
    "OML205": _config("limit: 0"),
    "OML206": _TOP
    + "params: {key: {type: string, sensitive: true}}\nsteps:\n"
    + "  - id: extract\n    component: supabase.extractor\n    mode: read\n"
    + '    config: {url: "ftp://x", key: "${params.key}", table: orders}\n',
    "OML207": _HEAD
    + "  - id: extract\n    component: sqlite.extractor\n    mode: read\n    config: {path: data/shop.db}\n",
    "OML208": _config("header: yes"),
    "OML209": _config("chunk_size: 1000"),
    "OML210": _mysql('      connection: "@mysql.main"\n      table: orders\n      user: root\n'),
    "OML211": _HEAD
    + "  - id: extract\n    component: graphql.extractor\n    mode: read\n"
    + "    config: {connection: '@graphql.main', query: '{ orders { id } }', headers: {Accept: text/plain}}\n",
    "OML212": _config("limit: .nan"),
    "OML213": _config("columns: [id, id]"),
    "OML301": _HEAD + _READ + _WRITE + "    needs: [extrct]\n",
    "OML302": _HEAD + _READ + "    needs: [extract]\n",
    "OML303": _HEAD + _READ + "    needs: [store]\n" + _WRITE + "    needs: [extract]\n",
    "OML304": _HEAD + _READ + _WRITE + "    needs: [extract, extract]\n",
    "OML305": _HEAD + _READ + _WRITE + "    inputs: {df: extract}\n",
    "OML306": _HEAD + _READ + _WRITE + '    inputs: {df: "${extrct.df}"}\n',
    "OML307": _HEAD + _READ + _WRITE + _WRITE_2 + '    inputs: {df: "${store.df}"}\n',
    "OML308": _HEAD + _READ + _WRITE + _WRITE_2,
    "OML309": _HEAD + _READ + _READ_2 + _WRITE + "    needs: [extract, extract-2]\n",
    "OML310": _HEAD
    + _READ_2
    + _READ_2.replace("extract-2", "extract_2")
    + "  - id: total\n    component: duckdb.processor\n    mode: transform\n    needs: [extract-2, extract_2]\n"
    + "    config: {query: SELECT 1}\n",
    "OML311": _config('limit: "${params.limit}"'),
    "OML312": _HEAD + _READ.replace("data/orders.csv", '"${DATA_DIR}/orders.csv"'),
    "OML313": _TOP + "params: {limit: 5}\n" + _config('limit: "${param.limit}"').removeprefix(_TOP),
    "OML314": _HEAD + _READ_2 + _READ + '    inputs: {df: "${extract-2.df}"}\n',
    "OML315": _TOP + "params: {days: [1, 2]}\nsteps:\n" + _READ.replace("data/orders.csv", "'data/${params.days}.csv'"),
    "OML316": _TOP + "params: {name: extract}\nsteps:\n" + _READ.replace("id: extract", 'id: "${params.name}"'),
    "OML317": _TOP + "params: {day: Monday}\nsteps:\n" + _READ + "    description: Orders of ${params.day\n",
    "OML318": _TOP + "params: {day: Monday}\nsteps:\n" + _READ + "    description: Orders of {{ params.day }}\n",
    "OML320": _mysql("      connection: main\n      table: orders\n"),
    "OML321": _mysql('      connection: "@mysql.mian"\n      table: orders\n'),
    "OML322": _mysql('      connection: "@sqlite.shop"\n      table: orders\n'),
    "OML323": _mysql("      table: orders\n"),
    "OML324": "# no connections file\n" + _mysql('      connection: "@mysql.main"\n      table: orders\n'),
    "OML325": "connections:\n  mysql: localhost\n",
    "OML326": "connections:\n  sqlite:\n    a: {path: a.db, default: true}\n    b: {path: b.db, default: true}\n",
    "OML327": 'connections:\n  sqlite:\n    shop: {path: "${DATA/shop.db"}\n',
    "OML328": "connections:\n  sqlit:\n    shop: {path: data/shop.db}\n",
    "OML329": "connections:\n  sqlite:\n    shop: {path: data/shop.db, colour: blue}\n",
    "OML330": _HEAD + _READ.replace("orders.csv", "ordres.csv"),
    "OML331": "connections:\n  sqlite:\n    shop: {pth: data/shop.db}\n",
    "OML332": "connections:\n  posthog:\n    main: {api_key: '${MYSQL_PASSWORD}', project_id: [1]}\n",
    "OML333": _HEAD + _READ + _WRITE.replace("out/orders.csv", "data/orders.csv"),
    "OML334": _HEAD + _READ + _WRITE + _WRITE.replace("store", "store-2") + "    needs: [extract]\n",
    "OML335": "connections:\n  mysql:\n    main: {host: localhost, database: shop, user: reader}\n",
    "OML336": "connections:\n  sqlite:\n    shop: {path: '${SHOP_DB}'}\n",
    "OML337": "# .env\nMYSQL_PASSWORD: hunter2\n",
    "OML338": "# .env\nMYSQL_PASSWORD=old\nMYSQL_PASSWORD=new\n",
    "OML339": "# .env\nOSIRIS_PARAM_REGOIN=EU\n",
    "OML401": _sql("-- to do").replace("query: --", "query: |\n        --"),
    "OML402": _sql("SELECT 1; SELECT 2"),
    "OML403": _sql("DELETE FROM df_extract"),
    "OML404": _sql("SELECT * FROM read_csv('/etc/passwd')"),
    "OML405": _sql("SELECT * FROM df_extrct"),
    "OML406": _sql("SELECT * FROM df", needs="    needs: [extract, extract-2]\n"),
    "OML407": _sql(
        "SELECT * FROM df WHERE region = ${params.region}",
        top=_TOP + "params: {region: North America}\n",
    ),
    "OML408": _sql("SELECT * FROM df WHERE region = 'north"),
    "OML409": _sql("SELECT * FROM df WHERE id IN ${params.ids}", top=_TOP + "params: {ids: []}\n"),
    "OML410": _sqlite("      table: ordres\n"),
    "OML411": _sqlite("      table: orders\n      columns: [id, amuont]\n"),
    "OML412": _sqlite("      table: customers\n"),
    "OML413": _sqlite("      table: regions\n"),
    "OML420": '{"schema_version": 1, "connections": {"@sqlite.shop": {"dialect": "sqlite", "tables": []}}}\n',
    "OML501": _mysql(
        "      host: localhost\n      database: shop\n      user: reader\n"
        "      password: Tr0ub4dor\n      table: orders\n"
    ),
    "OML502": _HEAD + _READ + "    description: copied from mysql://reader:Tr0ub4dor@db/shop\n",
    "OML503": _HEAD + _READ + "    description: key AKIA" + "IOSFODNN7EXAMPLE\n",
    "OML504": _HEAD + _READ + "    description: q7Rk2vT9xLw4Zp8Ns3Yd6Hb1\n",
    "OML505": _HEAD + _READ.replace("data/orders.csv", "/etc/passwd"),
    "OML506": "connections:\n  mysql:\n    main: {host: db, database: shop, user: reader, password: Tr0ub4dor}\n",
    "OML507": _TOP + "params:\n  key: {type: string, sensitive: true, default: Tr0ub4dor}\n" + "steps:\n" + _READ,
    "OML508": _TOP
    + "params: {key: {type: string}}\n"
    + _mysql(
        "      host: localhost\n      database: shop\n      user: reader\n"
        '      password: "${params.key}"\n      table: orders\n'
    ).removeprefix(_TOP),
    "OML509": _HEAD + _READ + _WRITE.replace("out/orders.csv", "osiris.yaml"),
}
