"""``osiris validate``: four layouts of one result, exit codes, files, folders and whole projects."""

from __future__ import annotations

import json

import pytest

MISSPELT = """\
oml_version: "0.1.0"
name: orders
steps:
  - id: read-orders
    component: filesystem.csv_extractor
    mode: read
    config:
      path: data/orders.csv
      delimeter: ";"
  - id: write-orders
    component: filesystem.csv_writer
    mode: write
    config:
      path: out/orders.csv
"""


def test_a_good_pipeline_is_exit_code_0_and_one_line(osiris):
    done = osiris("validate", "pipelines/orders.oml.yaml")
    assert (done.returncode, done.stdout, done.stderr) == (0, "1 file checked: nothing wrong.\n", "")


def test_text_shows_place_code_message_source_line_caret_and_fix(osiris, project):
    (project / "pipelines/orders.oml.yaml").write_text(MISSPELT)
    done = osiris("validate", "pipelines/orders.oml.yaml")
    first, source, caret, fix, summary = done.stdout.splitlines()
    assert done.returncode == 1
    assert first.startswith("pipelines/orders.oml.yaml:9:7: error OML2")
    assert "`delimiter`" in first
    assert source == '          delimeter: ";"'
    assert caret == "          ^^^^^^^^^"
    assert fix.startswith("    fix: ")
    assert summary == "1 file checked: 1 error."


def test_columns_count_code_points_and_the_caret_stands_below_wide_characters(osiris, project):
    (project / "pipelines/orders.oml.yaml").write_text(
        MISSPELT.replace('      delimeter: ";"', '      na_values: ["日本🐎"]\n      columns: {"日本🐎": wrong}')
    )
    done = osiris("validate", "pipelines/orders.oml.yaml")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("pipelines/orders.oml.yaml:10:16: error OML2")
    assert lines[2].index("^") == lines[1].index("{")


def test_json_is_a_list_of_findings_with_utf16_ranges(osiris, project):
    config = '    config:\n      path: data/orders.csv\n      delimeter: ";"\n'
    flow = '    config: {"path": "data/🐎.csv", "delimeter": ";"}\n'
    (project / "data/🐎.csv").write_text("id\n1\n")
    (project / "pipelines/orders.oml.yaml").write_text(MISSPELT.replace(config, flow))
    done = osiris("validate", "pipelines/orders.oml.yaml", "--format", "json")
    (found,) = json.loads(done.stdout)
    assert done.returncode == 1
    assert (found["file"], found["severity"]) == ("pipelines/orders.oml.yaml", "error")
    assert found["code"].startswith("OML2")
    # The horse is one code point and two UTF-16 units.
    assert found["range"] == {"start": {"line": 6, "character": 36}, "end": {"line": 6, "character": 47}}
    fix = found["fixes"][0]
    (edit,) = fix["edits"]
    assert edit["file"] == found["file"]
    assert edit["newText"].strip('"') == "delimiter"


def test_json_of_a_good_pipeline_is_an_empty_list(osiris):
    assert json.loads(osiris("validate", "pipelines/orders.oml.yaml", "--format", "json").stdout) == []


def test_sarif_names_rule_level_and_place(osiris, project):
    (project / "pipelines/orders.oml.yaml").write_text(MISSPELT)
    done = osiris("validate", "pipelines/orders.oml.yaml", "--format", "sarif")
    (run,) = json.loads(done.stdout)["runs"]
    (result,) = run["results"]
    place = result["locations"][0]["physicalLocation"]
    assert run["columnKind"] == "unicodeCodePoints"
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    assert result["level"] == "error"
    assert place["artifactLocation"]["uri"] == "pipelines/orders.oml.yaml"
    assert place["region"] == {"startLine": 9, "startColumn": 7, "endLine": 9, "endColumn": 16}


def test_github_annotations_are_one_line_each(osiris, project):
    (project / "pipelines/a,b.oml.yaml").write_text(MISSPELT)
    done = osiris("validate", "pipelines/a,b.oml.yaml", "--format", "github")
    errors = [line for line in done.stdout.splitlines() if line.startswith("::error ")]
    assert len(errors) == 1
    assert errors[0].startswith("::error file=pipelines/a%2Cb.oml.yaml,line=9,endLine=9,col=7,endColumn=16,title=OML2")


def test_without_files_the_whole_project_is_checked_from_any_folder_in_it(osiris, project):
    (project / "pipelines/broken.oml.yaml").write_text(MISSPELT.replace("name: orders", "name: broken"))
    done = osiris("validate", cwd=project / "data")
    assert done.returncode == 1
    assert "2 files checked: 1 error." in done.stdout


def test_a_folder_stands_for_the_oml_files_in_it(osiris, project):
    (project / "other").mkdir()
    (project / "other/broken.oml.yaml").write_text("steps: 3\n")
    assert osiris("validate", "pipelines").stdout == "1 file checked: nothing wrong.\n"


def test_a_folder_without_oml_files_is_wrong_usage(osiris):
    done = osiris("validate", "data")
    assert (done.returncode, done.stderr) == (2, "error: data: is a folder without OML files.\n")


def test_a_project_without_oml_files_says_what_to_do(osiris, tmp_path):
    (tmp_path / "empty").mkdir()
    done = osiris("validate", cwd=tmp_path / "empty")
    assert done.returncode == 2
    assert "osiris init" in done.stderr


def test_one_unreadable_file_hides_nothing_about_the_others(osiris, project):
    (project / "pipelines/binary.oml.yaml").write_bytes(b"\x00\xff\xfe\x80")
    (project / "pipelines/orders.oml.yaml").write_text(MISSPELT)
    done = osiris("validate", "pipelines/binary.oml.yaml", "pipelines/orders.oml.yaml")
    assert done.returncode == 1
    assert "pipelines/binary.oml.yaml:1:1: error OML014" in done.stdout
    assert "2 files checked: 2 errors." in done.stdout


def test_warnings_alone_are_exit_code_0(osiris, project):
    (project / "data/orders.csv").unlink()
    done = osiris("validate", "pipelines/orders.oml.yaml")
    assert done.returncode == 0
    assert ": warning OML" in done.stdout


def test_params_and_profiles_are_checked_as_they_would_be_used(osiris, project):
    text = "params:\n  n: {type: integer, default: 5}\nprofiles:\n  big: {params: {n: 50}}\n"
    path = project / "pipelines/orders.oml.yaml"
    path.write_text(path.read_text().replace("steps:", text + "steps:") + '      delimiter: "${params.n}"\n')
    assert osiris("validate", str(path), "--param", "n=many").returncode == 1
    done = osiris("validate", str(path), "--profile", "bigg")
    assert done.returncode == 1
    assert "bigg" in done.stdout


def test_broken_settings_of_the_project_are_found_as_well(osiris, project):
    (project / "osiris.yaml").write_text("on_failure: maybe\n")
    for arguments in ([], ["pipelines/orders.oml.yaml"]):
        done = osiris("validate", *arguments)
        assert done.returncode == 1
        assert "osiris.yaml:1:13: error OML" in done.stdout


def test_settings_with_findings_do_not_count_as_pipelines(osiris, project):
    (project / "osiris_connections.yaml").write_text("connections: {acme: {a: {b: c}}}\n")
    for arguments in ([], ["pipelines/orders.oml.yaml"]):
        done = osiris("validate", *arguments)
        assert done.returncode == 0
        assert done.stdout.endswith("1 file and osiris_connections.yaml checked: 1 warning.\n")


@pytest.mark.parametrize("name", ["data/orders.csv", "notes.yaml", "picture.png.txt"])
def test_a_file_that_is_no_oml_is_wrong_usage(osiris, project, name):
    (project / "notes.yaml").write_text("- buy: milk\n")
    (project / "picture.png.txt").write_text("")
    done = osiris("validate", name)
    said = f"error: {name}: is not an OML file (*.oml, *.oml.yaml, or YAML with oml_version at top).\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)


def test_what_is_oml_by_its_name_or_by_what_it_holds_is_checked(osiris, project):
    (project / "garbage.oml").write_text("id,amount\n1,2\n")
    (project / "plain.yaml").write_text("oml_version: 0.1.0\n")
    assert "garbage.oml:1:1: error OML" in osiris("validate", "garbage.oml").stdout
    assert "plain.yaml:1:1: error OML103" in osiris("validate", "plain.yaml").stdout


def test_settings_stand_for_all_pipelines_of_their_project(osiris, project):
    (project / "osiris_connections.yaml").write_text("connections: {}\n")
    for name in ("osiris.yaml", "osiris_connections.yaml"):
        done = osiris("validate", name, cwd=project)
        assert (done.returncode, done.stdout) == (0, "1 file checked: nothing wrong.\n")
    done = osiris("validate", "osiris.yaml", "pipelines/orders.oml.yaml", "pipelines")
    assert done.stdout == "1 file checked: nothing wrong.\n"


@pytest.mark.parametrize("name", ["pipelines/ordres.oml.yaml", "pipelines/orders", "pipelines/Orders.oml"])
@pytest.mark.parametrize("command", ["validate", "compile", "run"])
def test_a_mistyped_file_name_is_put_right(osiris, command, name):
    done = osiris(command, name)
    said = f"error: {name}: there is no such file. Did you mean pipelines/orders.oml.yaml?\n"
    assert (done.returncode, done.stderr) == (2, said)


@pytest.mark.parametrize("name", ["daily", "Shop", "daily.oml", "nowhere/daily"])
@pytest.mark.parametrize("command", ["validate", "compile", "run"])
def test_the_name_of_a_pipeline_leads_to_its_file(osiris, project, command, name):
    text = (project / "pipelines/orders.oml.yaml").read_text()
    (project / "pipelines/shop.oml.yaml").write_text(text.replace("name: orders", "name: daily"))
    (project / "shop").mkdir()
    done = osiris(command, name)
    said = f"error: {name}: there is no such file. Did you mean pipelines/shop.oml.yaml?\n"
    assert (done.returncode, done.stderr) == (2, said)


def test_two_pipelines_of_one_name_are_both_named(osiris, project):
    text = (project / "pipelines/orders.oml.yaml").read_text()
    (project / "copy.oml").write_text(text)
    done = osiris("run", "orders")
    assert "Did you mean copy.oml or pipelines/orders.oml.yaml?" in done.stderr


def test_a_path_outside_the_project_is_shown_where_it_stands(osiris, project):
    path = project / "pipelines/orders.oml.yaml"
    path.write_text(path.read_text().replace("path: data/orders.csv", "path: /srv/orders.csv"))
    _, source, caret, *_ = osiris("validate", str(path)).stdout.splitlines()
    assert source == "          path: /srv/orders.csv"
    assert caret == "                ^^^^^^^^^^^^^^^"


def test_a_file_of_the_project_that_is_written_is_shown(osiris, project):
    path = project / "pipelines/orders.oml.yaml"
    before, _, after = path.read_text().rpartition("path: ")
    path.write_text(f"{before}path: .env\n{after.partition(chr(10))[2]}")
    done = osiris("validate", str(path))
    assert "OML509" in done.stdout
    assert " path: .env\n" in done.stdout


def test_a_secret_in_a_path_outside_the_project_is_not_printed(osiris, project):
    path = project / "pipelines/orders.oml.yaml"
    path.write_text(path.read_text().replace("path: data/orders.csv", "path: s3://me:Tr0ub4dor@host/orders.csv"))
    done = osiris("validate", str(path))
    assert "OML505" in done.stdout
    assert "Tr0ub4dor" not in done.stdout + done.stderr


def test_a_secret_in_the_source_line_is_not_printed(osiris, project):
    (project / "pipelines/orders.oml.yaml").write_text(
        """\
oml_version: "0.1.0"
name: orders
steps:
  - id: read-orders
    component: mysql.extractor
    mode: read
    config:
      host: db
      database: shop
      user: reader
      password: Tr0ub4dor-3-horse
      table: orders
"""
    )
    for layout in ("text", "json", "sarif", "github"):
        done = osiris("validate", "pipelines/orders.oml.yaml", "--format", layout)
        assert done.returncode == 1
        assert "OML5" in done.stdout
        assert "Tr0ub4dor" not in done.stdout + done.stderr


def test_control_characters_of_a_file_never_reach_the_terminal(osiris, project):
    (project / "pipelines/orders.oml.yaml").write_text('name: "a\x1b]0;owned\x07" \x1b[31m\nsteps: 3\n')
    done = osiris("validate", "pipelines/orders.oml.yaml")
    assert done.returncode == 1
    assert "\x1b" not in done.stdout
    assert "\x07" not in done.stdout


def test_a_very_long_line_is_cut_to_what_stands_around_the_finding(osiris, project):
    (project / "pipelines/orders.oml.yaml").write_text(MISSPELT.replace('delimeter: ";"', f'delimeter: "{"x" * 5000}"'))
    done = osiris("validate", "pipelines/orders.oml.yaml")
    assert done.returncode == 1
    assert max(len(line) for line in done.stdout.splitlines()[1:]) < 200
