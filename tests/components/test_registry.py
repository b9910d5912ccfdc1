"""Finding components: built in, in a folder, and brought by installed packages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from osiris.components.registry import ComponentRegistry, SpecError, read_spec

SPEC = """\
name: acme.extractor
version: 1.0.0
description: Reads from Acme.
modes: [read]
configSchema:
  type: object
  required: [table]
  additionalProperties: false
  properties:
    table: {type: string, description: The table to read.}
    rows: {type: integer, default: 10, description: How many rows.}
x-runtime: {driver: "acme_osiris.driver:Reader"}
"""


def install(
    site: Path, *, spec: str | None = SPEC, package: str = "acme-osiris", component: str = "acme.extractor"
) -> None:
    """Lay an installed package into ``site``, one whose code raises when it is imported."""
    module = package.replace("-", "_")
    (site / module / "specs").mkdir(parents=True)
    (site / module / "__init__.py").write_text("raise RuntimeError('code of a plug-in was run')\n")
    if spec is not None:
        (site / module / "specs" / f"{component}.yaml").write_text(spec)
    info = site / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[osiris.components]\n{component} = {module}.specs\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that installed packages are found in."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def folder_with(tmp_path: Path, text: str, name: str = "acme.extractor") -> ComponentRegistry:
    (tmp_path / f"{name}.yaml").write_text(text)
    return ComponentRegistry(tmp_path, plugins=False)


def test_the_names_are_known_without_reading_a_spec(tmp_path: Path) -> None:
    registry = folder_with(tmp_path, "not: [a spec")
    assert registry.names() == ("acme.extractor",)


def test_a_spec_is_read_once() -> None:
    registry = ComponentRegistry(plugins=False)
    assert registry.get("duckdb.processor") is registry.get("duckdb.processor")


def test_the_registry_of_the_installation_is_one() -> None:
    assert ComponentRegistry.builtin() is ComponentRegistry.builtin()


def test_an_unknown_component_is_none() -> None:
    assert ComponentRegistry(plugins=False).get("mysql.extracter") is None


def test_the_file_of_a_spec_is_known_for_built_in_components_and_for_plug_ins(site: Path) -> None:
    install(site)
    registry = ComponentRegistry()

    built_in = registry.file_of("duckdb.processor")
    assert built_in is not None
    assert "name: duckdb.processor" in built_in.read_text()
    assert registry.file_of("acme.extractor") == site / "acme_osiris" / "specs" / "acme.extractor.yaml"
    assert registry.file_of("mysql.extracter") is None


def test_components_are_found_by_mode() -> None:
    names = [spec.name for spec in ComponentRegistry(plugins=False).specs_for("transform")]
    assert names == ["duckdb.processor"]


def test_a_registry_can_be_made_of_single_specs(tmp_path: Path) -> None:
    spec = folder_with(tmp_path, SPEC).get("acme.extractor")
    assert spec is not None
    registry = ComponentRegistry.of(spec)
    assert registry.names() == ("acme.extractor",)
    assert registry.get("duckdb.processor") is None


def test_a_connection_holds_the_fields_of_all_components_of_its_family() -> None:
    fields = ComponentRegistry(plugins=False).connection_fields("supabase")
    assert list(fields) == ["url", "project_id", "key", "pg_dsn"]
    assert [name for name, schema in fields.items() if schema.get("x-secret")] == ["key", "pg_dsn"]


def test_asking_for_one_component_starts_nothing_heavy() -> None:
    script = (
        "import sys; from osiris.components.registry import ComponentRegistry as R;"
        "R.builtin().get('mysql.extractor').missing(());"
        "print([m for m in ('duckdb', 'pyarrow', 'jsonschema', 'jsonschema_rs', 'sqlglot') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_the_fingerprint_changes_with_a_default(tmp_path: Path) -> None:
    before = folder_with(tmp_path, SPEC).fingerprint("acme.extractor")
    after = folder_with(tmp_path, SPEC.replace("default: 10", "default: 20")).fingerprint("acme.extractor")
    assert before != after


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[table]", "[]"),
        ("version: 1.0.0", "version: 1.0.1"),
        ("driver:Reader", "driver:Other"),
        ("modes: [read]", "modes: [read, transform]"),
        ("type: integer", "type: number"),
        ("x-runtime", "secrets: [/table]\nx-runtime"),
        ("x-runtime", "x-connection-fields: [table]\nx-runtime"),
        ("x-runtime", "constraints: {atMostOneOf: [{keys: [table, rows], error: One.}]}\nx-runtime"),
    ],
)
def test_the_fingerprint_changes_with_all_that_can_change_what_a_step_does(tmp_path: Path, old: str, new: str) -> None:
    before = folder_with(tmp_path, SPEC).fingerprint("acme.extractor")
    assert folder_with(tmp_path, SPEC.replace(old, new)).fingerprint("acme.extractor") != before


def test_the_fingerprint_stays_when_prose_changes(tmp_path: Path) -> None:
    before = folder_with(tmp_path, SPEC).fingerprint("acme.extractor")
    prose = SPEC.replace("The table to read.", "Which table.").replace("Reads from Acme.", "Reads.") + "title: Acme\n"
    assert folder_with(tmp_path, prose).fingerprint("acme.extractor") == before


def test_a_config_key_called_description_counts_for_the_fingerprint(tmp_path: Path) -> None:
    one = SPEC.replace("rows:", "description:")
    two = one.replace("default: 10", "default: 20")
    first, second = (folder_with(tmp_path, text).fingerprint("acme.extractor") for text in (one, two))
    assert first != second


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "a component spec is a mapping"),
        ("name: [", "is not valid YAML"),
        ("\x00\x01", "is not valid YAML"),
        (SPEC.replace("acme.extractor", "acme.reader"), "the file is called 'acme.extractor.yaml'"),
        (SPEC.replace("[table]", "[tabel]"), "'tabel' is not among the properties"),
        (SPEC + "version: 2.0.0\n", "says 'version' twice in one mapping (line 13)"),
        ("a: &a [*a]", "repeats a part of itself"),
        ("".join(f"k{n}: &k{n} [{f'*k{n - 1}, ' * 9 if n else 1}]\n" for n in range(30)), "more than 100,000 values"),
        ("[" * 900_000, "is nested more than 100 levels deep"),
        ("- " * 400_000, "is nested more than 100 levels deep"),
        ("x" * 1_000_001, "is larger than 1,000,000 bytes"),
    ],
)
def test_a_broken_spec_is_a_problem_and_no_failure(tmp_path: Path, text: str, complaint: str) -> None:
    registry = folder_with(tmp_path, text)
    assert registry.get("acme.extractor") is None
    assert complaint in str(registry.problem("acme.extractor"))
    assert len(registry.problems()) == 1


def test_a_spec_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"nowhere\.yaml cannot be read: No such file"):
        read_spec(tmp_path / "nowhere.yaml")


def test_an_installed_package_brings_components_and_none_of_its_code_is_run(site: Path) -> None:
    install(site)
    registry = ComponentRegistry()
    assert "acme.extractor" in registry.names()
    spec = registry.get("acme.extractor")
    assert spec is not None
    assert (spec.source, spec.driver) == ("acme-osiris", "acme_osiris.driver:Reader")


def test_a_broken_spec_of_a_package_names_the_package_and_hides_nothing_else(site: Path) -> None:
    install(site, spec=SPEC.replace("modes: [read]", "modes: []"))
    registry = ComponentRegistry()
    assert registry.get("acme.extractor") is None
    problem = str(registry.problem("acme.extractor"))
    assert problem.startswith(
        "The component spec acme.extractor.yaml of acme-osiris is not sound: modes must not be empty"
    )
    assert registry.get("duckdb.processor") is not None


def test_a_package_without_the_spec_it_promises_is_named(site: Path) -> None:
    install(site, spec=None)
    assert "holds no file acme.extractor.yaml" in str(ComponentRegistry().problem("acme.extractor"))


def test_of_two_packages_with_one_component_the_first_by_name_counts(site: Path) -> None:
    install(site, package="beta-osiris")
    install(site, package="acme-osiris")
    registry = ComponentRegistry()
    spec = registry.get("acme.extractor")
    assert spec is not None
    assert spec.source == "acme-osiris"
    assert "acme-osiris and beta-osiris both offer acme.extractor" in str(registry.problem("acme.extractor"))


def test_a_package_cannot_replace_a_built_in_component(site: Path) -> None:
    install(site, spec=SPEC.replace("acme.extractor", "duckdb.processor"), component="duckdb.processor")
    registry = ComponentRegistry()
    spec = registry.get("duckdb.processor")
    assert spec is not None
    assert spec.source == "osiris"
    assert "which is built in" in str(registry.problems())


def test_a_workspace_brings_no_components(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path)
    monkeypatch.chdir(tmp_path)
    for entry in ("", str(tmp_path)):
        monkeypatch.setattr(sys, "path", [entry, *sys.path])
    assert "acme.extractor" not in ComponentRegistry().names()
