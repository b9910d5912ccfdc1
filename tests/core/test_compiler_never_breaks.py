"""Whatever a text holds: it compiles, or it is a CompilationError with findings; and what validates compiles."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from osiris.core.check import check_text
from osiris.core.compiler_v0 import compile_oml
from osiris.core.error_taxonomy import CompilationError
from osiris.core.manifest import Manifest, generate_fingerprint, manifest_bytes, parse_manifest

PIPELINE = """\
oml_version: "0.1.0"
name: orders
metadata: {ratio: .nan, big: 1e400}
params:
  n: {type: integer, default: 10}
  pw: {type: string, sensitive: true}
profiles:
  prod: {params: {n: 100}}
steps:
  - id: read-it
    component: filesystem.csv_extractor
    mode: read
    config: {path: "data/${params.n}.csv", limit: "${params.n}"}
    retry: {attempts: 2, delay: 1s}
  - id: change-it
    component: duckdb.processor
    mode: transform
    needs: [read-it]
    config:
      query: |
        SELECT * FROM df_read_it WHERE a >= ${params.n} AND b = '${params.pw}'
  - id: write-it
    component: filesystem.csv_writer
    mode: write
    inputs: {df: "${change-it.df}"}
    config: {path: out/orders.csv}
    timeout: 5m
"""

PIECES = st.sampled_from(
    [
        *":-[]{}\"'&*#|>%@`,?!\t\r\n ~",
        "${params.n}",
        "${params.",
        "<<: *a",
        "steps:",
        "---\n",
        "null",
        ".nan",
        "\ud800",
        "\x00",
    ]
) | st.text(max_size=3)


def outcome(text: str) -> Manifest | CompilationError:
    try:
        return compile_oml(text, environ={})
    except CompilationError as error:
        return error


def check(text: str) -> bool:
    """Whether ``text`` compiles; with everything that must be true of it either way."""
    findings, result = check_text(text, environ={}), outcome(text)
    if isinstance(result, CompilationError):
        assert not findings.ok
        assert result.diagnostics == findings.diagnostics
        return False
    assert findings.ok
    assert parse_manifest(manifest_bytes(result), "it") == result
    assert result["fingerprint"] == generate_fingerprint(result)
    return True


def test_every_beginning_of_a_pipeline() -> None:
    results = [check(PIPELINE[:end] + "\n") for end in range(len(PIPELINE) + 1)]
    assert not results[0]
    assert results[-1]


@given(st.lists(st.tuples(st.integers(0, len(PIPELINE)), st.integers(0, 20), PIECES), max_size=4))
@example([(PIPELINE.index("orders\n"), 6, '"\\ud800"')])
@example([(PIPELINE.index("name: orders"), 0, 'description: "\\ud83d"\n')])
@example([(PIPELINE.index("10}"), 2, "9" * 4000)])
@example([(PIPELINE.index("10}"), 2, "9" * 5000)])
@example([(PIPELINE.index("10}"), 2, "1e999")])
def test_random_edits_of_a_pipeline(edits: list[tuple[int, int, str]]) -> None:
    text = PIPELINE
    for start, length, piece in edits:
        text = text[:start] + piece + text[start + length :]
    check(text)
