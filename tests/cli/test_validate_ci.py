"""What CI services are given: SARIF 2.1.0, GitHub's workflow commands, GitLab's code quality report."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

Osiris = Callable[..., subprocess.CompletedProcess[str]]

WRONG = """\
oml_version: "0.1.0"
name: orders
steps:
  - id: read-orders
    component: filesystem.csv_extractor
    mode: read
    config: {path: "🐎 data.csv", delimeter: ";"}
  - id: read-orders
    component: filesystem.csv_writer
    mode: write
    config:
      path: out/orders.csv
      delimeter: ";"
"""


@pytest.fixture
def report(osiris: Osiris, project: Path) -> Callable[..., Any]:
    """What ``osiris validate`` prints for a text in one of the layouts, JSON read."""

    def run(layout: str, text: str = WRONG, **options: Any) -> Any:
        (project / "pipelines/orders.oml.yaml").write_text(text, encoding="utf-8")
        done = osiris("validate", "--format", layout, **options)
        assert (done.returncode, done.stderr) == (1, "")
        return done.stdout.splitlines() if layout == "github" else json.loads(done.stdout)

    return run


# -- SARIF

# The rules of the standard for the parts of it that are used. An object may hold nothing else.


def an_object(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    properties = {**required, **optional}
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def a_list(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


TEXT = {"type": "string", "minLength": 1}
MESSAGE = an_object({"text": TEXT}, markdown=TEXT)
INDEX = {"type": "integer", "minimum": 0}
POSITION = {"type": "integer", "minimum": 1}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
REGION = an_object(dict.fromkeys(("startLine", "startColumn", "endLine", "endColumn"), POSITION))
# Relative, without a leading slash, percent-encoded.
FILE = an_object({"uri": {"type": "string", "pattern": r"^[A-Za-z0-9._~%/-]+$"}, "uriBaseId": TEXT}, index=INDEX)
PLACE = an_object({"artifactLocation": FILE, "region": REGION})
REPLACEMENT = an_object({"deletedRegion": REGION, "insertedContent": an_object({"text": {"type": "string"}})})
CHANGE = an_object({"artifactLocation": FILE, "replacements": {**a_list(REPLACEMENT), "minItems": 1}})
RULE = an_object(
    {
        "id": {"type": "string", "pattern": r"^OML\d{3}$"},
        "shortDescription": MESSAGE,
        "fullDescription": MESSAGE,
        "help": MESSAGE,
        "defaultConfiguration": an_object({"level": LEVEL}),
    }
)
RESULT = an_object(
    {
        "ruleId": TEXT,
        "ruleIndex": INDEX,
        "level": LEVEL,
        "message": MESSAGE,
        "locations": {**a_list(an_object({"physicalLocation": PLACE})), "maxItems": 1},
        "partialFingerprints": {"type": "object", "additionalProperties": TEXT, "minProperties": 1},
    },
    relatedLocations=a_list(an_object({"id": INDEX, "physicalLocation": PLACE, "message": MESSAGE})),
    fixes=a_list(an_object({"description": MESSAGE, "artifactChanges": {**a_list(CHANGE), "minItems": 1}})),
)
RUN = an_object(
    {
        "tool": an_object(
            {"driver": an_object({"name": TEXT, "version": TEXT, "semanticVersion": TEXT, "rules": a_list(RULE)})}
        ),
        "invocations": a_list(an_object({"executionSuccessful": {"type": "boolean"}})),
        "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        "newlineSequences": {**a_list(TEXT), "uniqueItems": True},
        "originalUriBaseIds": {"type": "object", "additionalProperties": an_object({"description": MESSAGE})},
        "artifacts": a_list(an_object({"location": FILE, "sourceLanguage": TEXT})),
        "results": a_list(RESULT),
    }
)
LOG = an_object({"$schema": TEXT, "version": {"const": "2.1.0"}, "runs": {**a_list(RUN), "minItems": 1}})


def test_the_log_follows_the_rules_of_sarif(report: Callable[..., Any]) -> None:
    log = report("sarif")

    jsonschema.validate(log, LOG)
    (run,) = log["runs"]
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        place = result["locations"][0]["physicalLocation"]["artifactLocation"]
        assert run["artifacts"][place["index"]]["location"]["uri"] == place["uri"] == "pipelines/orders.oml.yaml"
        assert place["uriBaseId"] in run["originalUriBaseIds"]


def test_the_log_of_a_good_project_follows_them_too(osiris: Osiris) -> None:
    log = json.loads(osiris("validate", "--format", "sarif").stdout)

    jsonschema.validate(log, LOG)
    assert log["runs"][0]["results"] == []


def test_the_log_holds_no_path_of_this_machine(report: Callable[..., Any], project: Path) -> None:
    assert str(project) not in json.dumps(report("sarif"))


def test_columns_count_code_points(report: Callable[..., Any]) -> None:
    (run,) = report("sarif")["runs"]

    assert run["columnKind"] == "unicodeCodePoints"
    regions = [result["locations"][0]["physicalLocation"]["region"] for result in run["results"]]
    line = WRONG.splitlines()[6]
    [region] = [region for region in regions if region["startLine"] == 7 and region["startColumn"] > 30]
    assert line[region["startColumn"] - 1 : region["endColumn"] - 1] == "delimeter"


def test_a_fix_of_the_log_mends_the_file(report: Callable[..., Any]) -> None:
    (run,) = report("sarif")["runs"]
    [result] = [one for one in run["results"] if one["locations"][0]["physicalLocation"]["region"]["startLine"] == 13]

    [change] = result["fixes"][0]["artifactChanges"]
    [replacement] = change["replacements"]
    lines = WRONG.splitlines()
    region = replacement["deletedRegion"]
    line = lines[region["startLine"] - 1]
    start, end = region["startColumn"] - 1, region["endColumn"] - 1
    mended = line[:start] + replacement["insertedContent"]["text"] + line[end:]

    assert change["artifactLocation"]["uri"] == "pipelines/orders.oml.yaml"
    assert mended == '      delimiter: ";"'


def test_rules_explain_themselves(report: Callable[..., Any]) -> None:
    (run,) = report("sarif")["runs"]

    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert "no key" in rules["OML202"]["help"]["text"] or rules["OML202"]["help"]["text"]
    assert "```yaml\n" in rules["OML202"]["help"]["markdown"]


def test_related_places_are_in_the_log(report: Callable[..., Any]) -> None:
    (run,) = report("sarif")["runs"]

    places = {
        result["locations"][0]["physicalLocation"]["region"]["startLine"]: [
            related["physicalLocation"]["region"]["startLine"] for related in result["relatedLocations"]
        ]
        for result in run["results"]
        if "relatedLocations" in result
    }
    assert places == {4: [8], 8: [4]}


@pytest.mark.parametrize("layout", ["sarif", "gitlab"])
def test_fingerprints_stay_while_lines_move_and_tell_findings_apart(report: Callable[..., Any], layout: str) -> None:
    def fingerprints(text: str) -> list[str]:
        found = report(layout, text)
        if layout == "gitlab":
            return [one["fingerprint"] for one in found]
        return [one["partialFingerprints"]["osirisFinding/v1"] for one in found["runs"][0]["results"]]

    before = fingerprints(WRONG)

    assert len(set(before)) == len(before)
    assert fingerprints("# A line more.\n\n" + WRONG.replace("steps:", "\nsteps:")) == before
    assert fingerprints(WRONG.replace("      delimeter", "      delimeterr")) != before


# -- GitHub


def annotations(lines: list[str]) -> list[dict[str, str]]:
    """The workflow commands in ``lines``, read as the runner reads them."""
    found = []
    for line in lines:
        command = re.fullmatch(r"::(error|warning|notice) ([^:]*)::(.*)", line)
        assert command, f"not a workflow command: {line}"
        properties = dict(part.split("=", 1) for part in command[2].split(","))
        values = {key: unescaped(value, ("%3A", ":"), ("%2C", ",")) for key, value in properties.items()}
        found.append({"level": command[1], "message": unescaped(command[3]), **values})
    return found


def unescaped(text: str, *more: tuple[str, str]) -> str:
    for code, char in (*more, ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(code, char)
    return text


def test_each_finding_is_one_annotation_at_its_place(report: Callable[..., Any]) -> None:
    found = annotations(report("github"))

    [last] = [one for one in found if one["line"] == "13"]
    assert last["level"] == "error"
    assert last["file"] == "pipelines/orders.oml.yaml"
    assert (last["line"], last["endLine"], last["col"], last["endColumn"]) == ("13", "13", "7", "16")
    assert last["title"] == "OML202 Unknown config key"
    assert last["message"] == "`filesystem.csv_writer` has no key `delimeter`. Did you mean `delimiter`?"


def test_what_the_runner_would_misread_is_escaped(osiris: Osiris, project: Path) -> None:
    text = WRONG.replace("delimeter", '"50%: a, b\\r\\n::set-output name=x::y"')
    (project / "pipelines/50%,a.oml.yaml").write_text(text, encoding="utf-8")

    done = osiris("validate", "pipelines/50%,a.oml.yaml", "--format", "github")
    found = annotations(done.stdout.splitlines())

    assert {one["file"] for one in found} == {"pipelines/50%,a.oml.yaml"}
    assert any("50%: a, b" in one["message"] for one in found)


@pytest.mark.parametrize(
    ("layout", "variable"),
    [("github", "GITHUB_WORKSPACE"), ("gitlab", "CI_PROJECT_DIR"), ("sarif", "GITHUB_WORKSPACE")],
)
def test_paths_count_from_the_repository_also_in_a_folder_of_it(
    report: Callable[..., Any], project: Path, layout: str, variable: str
) -> None:
    found = report(layout, cwd=project / "pipelines", env={variable: str(project.parent)})

    assert '"project/pipelines/orders.oml.yaml"' in json.dumps(found) or all(
        "file=project/pipelines/orders.oml.yaml," in line for line in found
    )


# -- GitLab


def test_the_code_quality_report_has_what_gitlab_asks_for(report: Callable[..., Any]) -> None:
    found = report("gitlab")

    for one in found:
        assert set(one) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert one["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert not one["location"]["path"].startswith(("/", "./"))
    [last] = [one for one in found if one["location"]["lines"]["begin"] == 13]
    assert (last["check_name"], last["severity"]) == ("OML202", "major")
    assert last["location"] == {"path": "pipelines/orders.oml.yaml", "lines": {"begin": 13, "end": 13}}


def test_no_layout_shows_a_secret_or_its_hash(osiris: Osiris, project: Path) -> None:
    secret = "Tr0ub4dor-3-" + "horse"
    text = (
        'oml_version: "0.1.0"\nname: x\nsteps:\n  - id: a\n    component: mysql.extractor\n    mode: read\n'
        f"    config: {{host: db, database: shop, user: u, password: {secret}, table: t}}\n"
    )
    path = project / "pipelines/orders.oml.yaml"
    for layout in ("github", "gitlab", "sarif"):
        path.write_text(text)
        first = osiris("validate", "--format", layout).stdout
        path.write_text(text.replace(secret, secret[::-1]))

        assert secret not in first
        assert osiris("validate", "--format", layout).stdout == first
