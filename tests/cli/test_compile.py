"""``osiris compile``: what it writes, what it says, and that nothing half-written stays behind."""

from __future__ import annotations

import json
import resource


def test_compiling_writes_the_manifest_and_says_where(osiris, project):
    done = osiris("compile", "pipelines/orders.oml.yaml")
    manifest = json.loads((project / "build/orders/manifest.json").read_text())
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"wrote build/orders/manifest.json\nfingerprint {manifest['fingerprint']}\n"


def test_an_unchanged_pipeline_is_not_written_again(osiris, project):
    osiris("compile", "pipelines/orders.oml.yaml")
    before = (project / "build/orders/manifest.json").stat()
    done = osiris("compile", "pipelines/orders.oml.yaml")
    after = (project / "build/orders/manifest.json").stat()
    assert done.stdout.startswith("unchanged build/orders/manifest.json\n")
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)


def test_json_says_the_same_to_programs(osiris, project):
    said = json.loads(osiris("compile", "pipelines/orders.oml.yaml", "--format", "json").stdout)
    fingerprint = json.loads((project / "build/orders/manifest.json").read_text())["fingerprint"]
    assert said == {
        "ok": True,
        "manifest": "build/orders/manifest.json",
        "cached": False,
        "fingerprint": fingerprint,
    }


def test_a_profile_has_a_manifest_of_its_own(osiris, shop):
    done = osiris("compile", "pipelines/daily-revenue.oml.yaml", "--profile", "year", cwd=shop)
    assert done.stdout.startswith("wrote build/daily-revenue/year/manifest.json\n")
    assert json.loads((shop / "build/daily-revenue/year/manifest.json").read_text())["params"]["since"] == "2025-01-01"


def test_errors_go_to_standard_error_and_nothing_is_written(osiris, project):
    path = project / "pipelines/orders.oml.yaml"
    path.write_text(path.read_text().replace("path: out/orders.csv", "pth: out/orders.csv"))
    done = osiris("compile", "pipelines/orders.oml.yaml")
    assert (done.returncode, done.stdout) == (1, "")
    assert "pipelines/orders.oml.yaml:13:7: error OML2" in done.stderr
    assert "Nothing was compiled." in done.stderr
    assert not (project / "build").exists()


def test_errors_as_json_are_the_findings_of_validate(osiris, project):
    path = project / "pipelines/orders.oml.yaml"
    path.write_text(path.read_text().replace("path: out/orders.csv", "pth: out/orders.csv"))
    compiled = json.loads(osiris("compile", "pipelines/orders.oml.yaml", "--format", "json").stdout)
    validated = json.loads(osiris("validate", "pipelines/orders.oml.yaml", "--format", "json").stdout)
    assert compiled == {"ok": False, "diagnostics": validated}


def test_a_disk_that_takes_no_more_leaves_the_old_manifest_whole(osiris, project):
    osiris("compile", "pipelines/orders.oml.yaml")
    before = (project / "build/orders/manifest.json").read_bytes()
    path = project / "pipelines/orders.oml.yaml"
    path.write_text(path.read_text().replace("name: orders", "name: orders\ndescription: changed"))

    def small_files_only() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))

    done = osiris("compile", "pipelines/orders.oml.yaml", preexec_fn=small_files_only)
    assert done.returncode == 1
    assert "manifest.json" in done.stderr
    assert done.stderr.count("\n") <= 2
    assert (project / "build/orders/manifest.json").read_bytes() == before
    assert [p.name for p in (project / "build/orders").iterdir()] == ["manifest.json"]


def test_a_build_folder_that_cannot_be_made_is_said_in_words(osiris, project):
    (project / "build").write_text("a file in the way")
    done = osiris("compile", "pipelines/orders.oml.yaml")
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "build" in done.stderr
