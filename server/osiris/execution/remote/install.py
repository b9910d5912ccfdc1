"""Getting this very version of Osiris, and the plug-ins that a run uses, onto another machine.

What is there already is used. What is ours goes along as wheels; packages of others come by pip, there, from its index.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import osiris
from osiris.components.spec import ComponentSpec
from osiris.execution.remote.errors import NotPrepared
from osiris.execution.remote.machine import Machine
from osiris.execution.remote.protocol import SITE
from osiris.execution.remote.wheel import osiris_wheel, plugin_requirements, plugin_wheel, requirements

OLDEST = (3, 11)
PIP_SECONDS = 600
_BASE_IMPORTS = ("yaml", "pydantic", "jsonschema", "duckdb", "pyarrow", "sqlglot")
_EXTRA_OF = {"pymysql": "mysql", "psycopg": "postgres"}
_LOOK = """
import importlib.metadata as m, importlib.util as u, json, sys
wanted = json.loads(sys.argv[1])
def version(name):
    try:
        return m.version(name)
    except m.PackageNotFoundError:
        return None
osiris = None
if sys.version_info >= (3, 11) and u.find_spec("osiris"):
    try:
        import osiris as o
        osiris = getattr(o, "__version__", None)
    except Exception:
        pass
print(json.dumps({"python": list(sys.version_info[:3]), "path": sys.executable, "osiris": osiris,
    "plugins": {n: version(n) for n in wanted["plugins"]},
    "packages": [n for n in wanted["packages"] if version(n) is None],
    "missing": [n for n in wanted["imports"] if u.find_spec(n) is None]}))
"""


@dataclass(frozen=True)
class Needs:
    """What a run needs of packages: plug-in distributions with their versions, and modules to import.

    ``packages``: by name, what the plug-ins need of others, as pip takes it.
    """

    plugins: dict[str, str]
    imports: tuple[str, ...]
    packages: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, components: Iterable[str]) -> Needs:
        """What these components need."""
        from importlib.metadata import version

        from osiris.components.registry import ComponentRegistry

        registry = ComponentRegistry.builtin()
        found: dict[str, str] = {}
        imports = dict.fromkeys(_BASE_IMPORTS)
        for name in components:
            spec: ComponentSpec | None = registry.get(name)
            if spec is None:
                continue
            imports |= dict.fromkeys(spec.requirements.get("imports") or ())
            if spec.source != "osiris":
                found[spec.source] = version(spec.source)
        packages = {name: need for plugin in found for name, need in plugin_requirements(plugin).items()}
        return cls(found, tuple(imports), packages)


def install(machine: Machine, interpreters: Sequence[str], needs: Needs) -> list[str]:
    """Make the machine ready; the beginning of a command that runs one of our modules there.

    Raises NotPrepared when it has no Python that will do, or when packages cannot be installed.
    """
    site = f"{machine.home}/{SITE}"
    found = _look(machine, interpreters, needs)
    python = str(found["path"])
    wheels = [] if found["osiris"] == osiris.__version__ else [osiris_wheel()]
    wheels += [plugin_wheel(name) for name, version in needs.plugins.items() if found["plugins"][name] != version]
    for name, content in wheels:
        machine.put(f"{machine.home}/{name}", content)
        ran = machine.run([python, "-m", "zipfile", "-e", f"{machine.home}/{name}", site], seconds=120)
        if ran.code != 0:
            raise NotPrepared(f"{name} could not be unpacked on the other machine: {_last(ran.err)}")
    wanted = [needs.packages[name] for name in found["packages"]]
    if found["missing"] or wanted:
        _bring(machine, python, site, found["missing"], wanted)
    return ["/usr/bin/env", f"PYTHONPATH={site}", python, "-P", "-m"]


def _look(machine: Machine, interpreters: Sequence[str], needs: Needs) -> dict[str, Any]:
    """What the first interpreter that is new enough has."""
    wanted = json.dumps({"plugins": list(needs.plugins), "imports": needs.imports, "packages": list(needs.packages)})
    seen: list[str] = []
    for name in interpreters:
        ran = machine.run(["/usr/bin/env", name, "-c", _LOOK, wanted])
        if ran.code != 0:
            continue
        found: dict[str, Any] = json.loads(ran.out)
        if tuple(found["python"]) >= OLDEST:
            return found
        seen.append(".".join(str(part) for part in found["python"]))
    has = f"only Python {' and '.join(seen)}" if seen else f"none of {', '.join(interpreters)}"
    raise NotPrepared(
        f"Osiris needs Python {OLDEST[0]}.{OLDEST[1]} or newer, and the other machine has {has}.",
        hint="Choose a template with a newer Python; if it is not python3 there, name it in your settings.yaml.",
    )


def _bring(machine: Machine, python: str, site: str, missing: Sequence[str], packages: Sequence[str]) -> None:
    extras = ["run", *dict.fromkeys(_EXTRA_OF[name] for name in missing if name in _EXTRA_OF)]
    ours = requirements(extras) if missing else []
    pip = [python, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--target", site]
    ran = machine.run([*pip, *ours, *packages], seconds=PIP_SECONDS)
    if ran.code != 0:
        names = ", ".join([*missing, *packages])
        raise NotPrepared(
            f"The packages that a run needs ({names}) could not be installed on the other machine: {_last(ran.err)}",
            hint="Use a template that has them, or one that reaches a package index.",
        )


def _last(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it says nothing"
