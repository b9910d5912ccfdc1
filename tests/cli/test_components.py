"""``osiris components``, ``osiris schema`` and ``osiris doctor``."""

from __future__ import annotations

import json
import sys


def test_list_shows_what_runs_and_what_does_not_yet(osiris, planned):
    done = osiris("components", "list")
    rows = {line.split()[0]: line for line in done.stdout.splitlines()[1:]}
    assert done.returncode == 0
    assert "  yes  " in rows["duckdb.processor"]
    assert "  not yet  " in rows[planned]


def test_list_by_mode_and_by_what_runs(osiris, planned):
    writers = json.loads(osiris("components", "list", "--mode", "write", "--runnable", "--format", "json").stdout)
    names = [c["name"] for c in writers]
    assert names == sorted(names)
    assert {"duckdb.writer", "filesystem.csv_writer", "mysql.writer", "sqlite.writer", "supabase.writer"} <= set(names)
    assert not {"duckdb.extractor", planned} & set(names)


def test_show_explains_every_config_key(osiris):
    done = osiris("components", "show", "filesystem.csv_writer")
    assert done.returncode == 0
    assert '  newline: string, default "lf", one of "lf", "crlf"\n' in done.stdout
    assert "  path: string, required\n" in done.stdout
    assert done.stdout.endswith(
        "\nExample:\n\n"
        "- id: my-step\n"
        "  component: filesystem.csv_writer\n"
        "  mode: write\n"
        "  config:\n"
        "    path: out/revenue.csv\n"
    )


def test_show_as_json_holds_the_whole_schema(osiris):
    shown = json.loads(osiris("components", "show", "sqlite.extractor", "--format", "json").stdout)
    assert shown["sqlKeys"] == {"query": "sqlite"}
    assert shown["configSchema"]["properties"]["limit"]["minimum"] == 1
    assert len(shown["fingerprint"]) == 64


def test_validate_accepts_a_sound_spec_and_says_what_is_wrong_with_another(osiris, project):
    (project / "acme.extractor.yaml").write_text(
        "name: acme.extractor\n"
        "version: 1.0.0\n"
        "title: ACME reader\n"
        "description: Reads from ACME.\n"
        "modes: [extract]\n"
        "configSchema: {type: object, additionalProperties: false, properties: {}}\n"
    )
    (project / "acme.writer.yaml").write_text("name: acme.writer\nmodes: 3\n")
    done = osiris("components", "validate", "acme.extractor.yaml", "acme.writer.yaml")
    first, second = done.stdout.splitlines()
    assert done.returncode == 1
    assert first == "acme.extractor.yaml: sound"
    assert second.startswith("acme.writer.yaml: error: ")


def test_schema_lists_its_names_and_prints_each(osiris):
    names = osiris("schema").stdout.split()
    assert "oml" in names
    for name in names:
        assert json.loads(osiris("schema", name).stdout)["$schema"]


def test_doctor_of_a_sound_installation(osiris, project):
    done = osiris("doctor", "--format", "json")
    said = json.loads(done.stdout)
    checks = {check["name"]: check for check in said["checks"]}
    assert (done.returncode, said["ok"]) == (0, True)
    assert sys.executable in checks["Python"]["detail"]
    assert "duckdb" in checks["extra run"]["detail"]
    assert {"extra ai", "extra mcp", "extra e2b"} <= checks.keys()
    assert checks["project"]["detail"] == f"{project} with 1 pipeline"


def test_doctor_finds_another_package_that_owns_the_name(osiris, tmp_path):
    other = tmp_path / "site/osiris_other-1.0.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: osiris-other\nVersion: 1.0\n")
    (other / "entry_points.txt").write_text("[console_scripts]\nosiris = osiris_other:main\n")
    done = osiris("doctor", env={"PYTHONPATH": str(tmp_path / "site")})
    assert done.returncode == 1
    assert "problem the name osiris: is also claimed by osiris-other" in done.stdout


def test_doctor_outside_any_project_only_notes_it(osiris, tmp_path):
    (tmp_path / "empty").mkdir()
    done = osiris("doctor", cwd=tmp_path / "empty")
    assert done.returncode == 0
    assert "note    project: none found" in done.stdout


def test_doctor_names_settings_that_cannot_be_used(osiris, project):
    (project / "osiris.yaml").write_text("on_failure: maybe\n")
    done = osiris("doctor")
    assert done.returncode == 1
    assert "problem osiris.yaml: cannot be used as it is" in done.stdout


def test_an_example_shows_its_query_as_a_block(osiris):
    shown = osiris("components", "show", "duckdb.processor").stdout
    lines = shown.partition("Example:")[2].splitlines()
    start = lines.index("    query: |")
    assert "" not in lines[start:]
    assert all(line.startswith("      ") for line in lines[start + 1 :])
