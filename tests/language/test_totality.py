"""Analysis never raises, whatever the text; a kept analyzer says the same as a fresh one; nothing depends on chance."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osiris.language.analysis import Analysis, Analyzer, analyse
from osiris.language.connections import parse_connections
from osiris.language.environment import StaticEnvironment
from osiris.language.symbols import symbols
from osiris.syntax.code_examples import CONNECTIONS, EXAMPLES
from osiris.syntax.document import PartCache, parse

ENV = StaticEnvironment(connections=parse_connections(CONNECTIONS), files=frozenset({"data/orders.csv"}))
PIPELINE = """\
oml_version: 0.1.0
name: orders
params:
  region: {type: string, default: eu, enum: [eu, us]}
  limit: 10
profiles:
  prod: {params: {limit: 0}}
steps:
  - id: extract-orders
    component: filesystem.csv_extractor
    mode: read
    config:
      path: data/${params.region}.csv
      limit: ${params.limit}
      header: yes
  - id: customers
    component: mysql.extractor
    mode: read
    config: {connection: "@mysql.main", table: customers}
  - id: totals
    component: duckdb.processor
    mode: transform
    needs: [extract-orders, customers]
    config:
      query: |
        SELECT c.name, sum(o.amount) AS total -- osiris: ignore[OML405]
        FROM df_extract_orders o JOIN df_customers c ON o.customer = c.id
        WHERE region = '${params.region}'
        GROUP BY 1
  - id: store
    component: filesystem.csv_writer
    mode: write
    retry: {attempts: 3}
    timeout: 5m
    inputs: {df: "${totals.df}"}
    config: {path: out/totals.csv}
"""
SNIPPETS = [
    "\n",
    " ",
    ":",
    "- ",
    "${",
    "}",
    "params.",
    "'",
    '"',
    "[",
    "]",
    "{",
    "#",
    "\t",
    "&a",
    "*a",
    "<<: ",
    "|",
    ">-",
]
SNIPPETS += [
    "\u2028",
    "é",
    "😀",
    "\r\n",
    "null",
    "no",
    "0.1",
    "id: [1]",
    "steps:",
    "..",
    "/",
    "@mysql.main",
    "SELECT",
    ";",
]


def told(analysis: Analysis) -> list[object]:
    return [(d.code, d.span, d.message, d.severity, d.fixes, d.related) for d in analysis.diagnostics]


@st.composite
def edited(draw: st.DrawFn) -> list[str]:
    """Versions of the pipeline, each made from the one before by an insertion, a deletion or a copied stretch."""
    text, versions = draw(st.sampled_from([PIPELINE, *EXAMPLES.values()])), []
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 60)))
        piece = draw(st.sampled_from([*SNIPPETS, "", text[start:end] * 2]))
        text = text[:start] + piece + text[end if draw(st.booleans()) else start :]
        versions.append(text)
    return versions


@given(edited())
def test_a_kept_analyzer_says_the_same_as_a_fresh_one(versions):
    analyzer, cache = Analyzer(ENV.registry), PartCache()
    analyzer.analyse(parse(PIPELINE, cache), ENV)
    for text in versions:
        kept = analyzer.analyse(parse(text, cache), ENV)
        assert told(kept) == told(analyse(text, ENV))
        for finding in kept.diagnostics:
            assert 0 <= finding.span.start <= finding.span.end <= len(text)
            for fix in finding.fixes:
                assert all(0 <= e.span.start <= e.span.end <= len(text) for e in fix.edits)
        assert symbols(kept) == tuple(sorted(symbols(kept), key=lambda s: (s.span, s.kind)))


@given(edited(), st.sampled_from([ENV, StaticEnvironment()]), st.sampled_from([None, "prod"]))
def test_an_analyzer_that_starts_from_another_analysis_says_the_same_as_a_fresh_one(versions, env, profile):
    last = analyse(PIPELINE, ENV)
    for text in versions:
        analyzer = Analyzer(env.registry, last)
        last = analyzer.analyse(parse(text, PartCache(last.document.records)), env, profile=profile)
        assert told(last) == told(analyse(text, env, profile=profile))


@pytest.mark.parametrize("profile", [None, "prod", "nosuch"])
def test_every_prefix_is_analysed(profile):
    analyzer, cache = Analyzer(ENV.registry), PartCache()
    for end in range(0, len(PIPELINE), 3 if profile is None else 17):
        analyzer.analyse(parse(PIPELINE[:end], cache), ENV, profile=profile, params={"limit": "x", "no": 1})


@given(st.text(max_size=80))
def test_any_text_is_analysed(text):
    analyse(text, ENV)
    analyse(PIPELINE.replace("totals.csv", text), ENV)
    parse_connections(text)
    parse_connections(CONNECTIONS.replace("localhost", text))


@pytest.mark.parametrize(
    "text", ["[" * 500, "a: " * 200, "- " * 300, "steps:\n" + "  - id: a\n" * 300, "${" * 300, "\0", "\ud800"]
)
def test_hostile_texts_are_analysed(text):
    analyse(text, ENV)
    analyse(PIPELINE + text, ENV)


def test_findings_do_not_depend_on_hash_seeds():
    broken = PIPELINE.replace("region:", "regin:").replace("path:", "pth:").replace("component: mysql", "uses: mysql")
    code = (
        "import sys; from osiris.language.analysis import analyse\n"
        "for d in analyse(sys.stdin.read()).diagnostics: print(ascii(d))"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], input=broken, capture_output=True, text=True, check=True,
            env={"PYTHONHASHSEED": seed, "PATH": ""}, encoding="utf-8",
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert runs[0] == runs[1] != ""
