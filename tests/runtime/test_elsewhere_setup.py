"""What must be there before a run can go elsewhere: settings of the user, packages for the machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import osiris
from osiris.components.registry import ComponentRegistry
from osiris.core.error_taxonomy import ConfigurationError
from osiris.execution.e2b.settings import load_settings
from osiris.execution.remote.install import Needs
from osiris.execution.remote.install import install as prepare
from osiris.execution.remote.machine import Ran
from osiris.execution.remote.reach import hosts_in, is_public
from osiris.execution.remote.wheel import osiris_wheel, plugin_wheel, requirements
from planned import install
from runtime.process_machine import ProcessMachine


@pytest.fixture
def environ(tmp_path) -> dict[str, str]:
    return {"OSIRIS_CONFIG_DIR": str(tmp_path / "config")}


def write_settings(environ, text: str) -> Path:
    path = Path(environ["OSIRIS_CONFIG_DIR"], "settings.yaml")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_environment_goes_before_the_user_s_file(environ):
    write_settings(
        environ, "e2b:\n  template: mine\n  timeout: 60\n  max_download: 2GB\n  reachable: [DB.vpc.example]\n"
    )
    found = load_settings({**environ, "OSIRIS_E2B_TEMPLATE": "other", "E2B_API_KEY": "e2b_key"})
    assert (found.template, found.timeout, found.max_download) == ("other", 60, 2_000_000_000)
    assert found.reachable == ("db.vpc.example",)
    assert found.key == "e2b_key"
    assert "e2b_key" not in repr(found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("api_key: e2b_0", "a key does not belong into a file that is easily shared"),
        ("templat: x", "there is no setting `e2b.templat`"),
        ("timeout: soon", "must be a number of seconds from 5 to 86400"),
        ("max_download: much", "a size such as 512MB or 2GB is expected"),
        ("api_url: ftp://x", "must begin with https://"),
        ("reachable: {a: b}", "must be a list of hosts"),
    ],
)
def test_what_cannot_be_used_is_said_with_its_file(environ, text, message):
    path = write_settings(environ, f"e2b:\n  {text}\n")
    with pytest.raises(ConfigurationError) as problem:
        load_settings(environ)
    assert str(path) in str(problem.value)
    assert message in str(problem.value)


def run_osiris(root: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("E2B_", "OSIRIS_E2B_"))}
    command = [sys.executable, "-P", "-m", "osiris", *arguments]
    return subprocess.run(command, cwd=root, env={**kept, **variables}, capture_output=True, text=True, timeout=100)


def test_a_project_chooses_where_it_runs_but_brings_no_key(project):
    project.write("in.csv", "n\n1\n")
    project.write("osiris.yaml", "runs: {target: e2b}\n")
    project.write(".env", "E2B_API_KEY=e2b_of_a_stranger\nE2B_API_URL=http://127.0.0.1:9\n")
    project.write(
        "p.oml.yaml",
        'oml_version: "0.1.0"\nname: p\nsteps:\n'
        "  - {id: r, component: filesystem.csv_extractor, mode: read, config: {path: in.csv}}\n"
        "  - {id: w, component: filesystem.csv_writer, mode: write, config: {path: out.csv}}\n",
    )
    for arguments in (["run", "p.oml.yaml"], ["run", "p.oml.yaml", "--detach"]):
        done = run_osiris(project.root, *arguments)
        assert done.returncode != 0
        assert "E2B_API_KEY is not set" in done.stderr
    assert not (project.root / "logs").exists()
    assert run_osiris(project.root, "run", "p.oml.yaml", "--target", "local").returncode == 0
    nowhere = run_osiris(project.root, "run", "p.oml.yaml", "--target", "moon")
    assert "There is no target 'moon'" in nowhere.stderr


def test_doctor_says_what_is_missing(project):
    checks = json.loads(run_osiris(project.root, "doctor", "--format", "json").stdout)["checks"]
    (target,) = [check for check in checks if check["name"] == "target e2b"]
    assert (target["state"], "E2B_API_KEY" in target["hint"]) == ("note", True)
    far = run_osiris(project.root, "doctor", "--format", "json", E2B_API_KEY="e2b_x", E2B_API_URL="http://127.0.0.1:9")
    (target,) = [check for check in json.loads(far.stdout)["checks"] if check["name"] == "target e2b"]
    assert target["state"] == "problem"
    assert "E2B cannot be reached at 127.0.0.1:9: no connection can be made." in target["detail"]


def test_pip_installs_the_wheel_of_the_running_package(tmp_path):
    name, content = osiris_wheel()
    (tmp_path / name).write_bytes(content)
    pip = [sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--quiet", "--target", tmp_path / "site"]
    subprocess.run([*pip, tmp_path / name], check=True, timeout=120, stdin=subprocess.DEVNULL)
    program = (
        "import osiris, importlib.metadata as m; print(osiris.__file__, osiris.__version__, m.version('osiris-oml'))"
    )
    variables = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    said = subprocess.run(
        [sys.executable, "-P", "-c", program], env=variables, capture_output=True, text=True, timeout=60, check=True
    )
    where, *versions = said.stdout.split()
    assert Path(where).is_relative_to(tmp_path)
    assert versions == [osiris.__version__] * 2
    assert (tmp_path / "site/osiris/components/specs/duckdb.processor.yaml").is_file()
    assert any(need.startswith("duckdb") for need in requirements(["run"]))
    assert not any(need.startswith("psycopg") for need in requirements(["run"]))


def test_the_plugin_of_a_component_goes_along_too(tmp_path, monkeypatch):
    from io import BytesIO
    from zipfile import ZipFile

    site = tmp_path / "site"
    install(site)
    (site / "acme_osiris/__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setattr(ComponentRegistry, "builtin", lambda: ComponentRegistry())
    assert Needs.of(["acme.writer", "duckdb.processor"]).plugins == {"acme-osiris": "1.0"}
    name, content = plugin_wheel("acme-osiris")
    assert name == "acme_osiris-1.0-py3-none-any.whl"
    with ZipFile(BytesIO(content)) as archive:
        assert {"acme_osiris/acme.writer.yaml", "acme_osiris-1.0.dist-info/entry_points.txt"} <= set(archive.namelist())


def test_what_a_plugin_needs_of_others_is_brought_there_by_pip(tmp_path, monkeypatch):
    asked: list[list[str]] = []

    class WithoutIndex(ProcessMachine):
        def run(self, command, **options):
            if "pip" in command:
                asked.append(command[command.index("--target") + 2 :])
                return Ran(0, "", "")
            return super().run(command, **options)

    install(site := tmp_path / "site")
    with (site / "acme_osiris-1.0.dist-info/METADATA").open("a") as file:
        for need in ("osiris-oml>=0.1", "acme-client<3,>=2", "pyyaml>=5", 'acme-tests>=1; extra == "tests"'):
            file.write(f"Requires-Dist: {need}\n")
    (site / "acme_osiris/__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setattr(ComponentRegistry, "builtin", lambda: ComponentRegistry())
    (tmp_path / "home").mkdir()
    prepare(WithoutIndex(tmp_path / "home"), [sys.executable], Needs.of(["acme.writer", "duckdb.processor"]))
    assert asked == [["acme-client<3,>=2"]]


@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("db.example.com", True),
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("localhost", False),
        ("127.0.0.1", False),
        ("[::1]", False),
        ("10.1.2.3", False),
        ("192.168.0.1", False),
        ("fe80::1%eth0", False),
        ("mariadb", False),
        ("printer.local", False),
        ("host.docker.internal", False),
        ("/run/mysqld.sock", False),
    ],
)
def test_a_host_is_public_or_in_a_network_of_its_own(host, public):
    assert is_public(host) is public


def test_hosts_are_found_by_key_and_in_addresses():
    config = {
        "host": "a.example, b.example",
        "url": "postgres://u:p@c.example:5432/d",
        "nested": {"endpoint": ["https://d.example/graphql", "file:///etc/passwd"]},
        "dsn": "host=e.example dbname=x",
        "text": "no host at all",
    }
    assert list(hosts_in(config)) == ["a.example", "b.example", "c.example", "d.example", "e.example"]


def test_nothing_of_it_is_loaded_for_a_run_here():
    program = (
        "import sys, osiris.cli.commands.run, osiris.execution.local, osiris.execution.supervisor, osiris.lsp.server\n"
        "print([m for m in sys.modules if m.split('.')[0] == 'e2b' or m.startswith(('osiris.execution.e2b', "
        "'osiris.execution.remote'))])"
    )
    said = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert said.stdout.strip() == "[]"
