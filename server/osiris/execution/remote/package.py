"""What a run needs that goes on elsewhere, looked up and checked on this machine before anything starts."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osiris.core.allowed_folders import followed
from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.file_patterns import is_pattern, matches
from osiris.core.files import read_error
from osiris.core.secrets_masking import Masker
from osiris.drivers.connection_fields import file_field
from osiris.drivers.paths import Place, refuse_own_file, resolve_path
from osiris.execution.remote.complete_files import digest_of
from osiris.execution.remote.errors import NotReachable
from osiris.execution.remote.protocol import PROTOCOL, REQUEST
from osiris.execution.remote.reach import hosts_in

if TYPE_CHECKING:
    from osiris.components.spec import ComponentSpec

_CERTIFICATES = ("ssl_ca", "ssl_cert", "sslrootcert", "sslcert")  # fields of connections that name files
_PRIVATE_KEYS = ("ssl_key", "sslkey")
BESIDE = ("-wal", "-journal", ".wal")  # what a database keeps beside its file


@dataclass(frozen=True)
class SentFile:
    """A file that goes along. ``path`` is relative to the project; ``stamp`` tells whether it was changed meanwhile."""

    path: str
    source: Path
    size: int
    sha256: str
    stamp: tuple[int, int]

    def plain(self) -> dict[str, Any]:
        """As the other machine hears of it."""
        return {"path": self.path, "size": self.size, "sha256": self.sha256}


@dataclass
class Package:
    """A run, packed. ``request`` holds the secrets, so it travels over a pipe only.

    ``outputs``: by step, the files that it writes, relative to the project. ``components``: what must be installed.
    """

    request: dict[str, Any] = field(repr=False)
    files: tuple[SentFile, ...]
    outputs: dict[str, list[str]]
    components: tuple[str, ...]
    secrets: tuple[str, ...] = field(repr=False)


def pack(
    manifest: Mapping[str, Any],
    *,
    root: Path,
    run_id: str,
    params: Mapping[str, Any],
    settings: Mapping[str, Any],
    reaches: Callable[[str], bool],
    resume: Mapping[str, Any] | None = None,
) -> Package:
    """Look up what ``manifest`` needs elsewhere; nothing is written.

    ``settings``: memory, parallel, deterministic. ``reaches``: whether the other machine reaches a host. Raises
    ConfigurationError for what is missing here, and NotReachable for what would not be there.
    """
    packer = _Packer(root, manifest, params)
    try:
        steps = [packer.step(sent, filled) for sent, filled in zip(manifest["steps"], packer.filled, strict=True)]
        for step, connection in packer.connections.items():
            _require_reachable(step, connection["fields"], connection["reference"], reaches)
        for step in packer.filled:
            _require_reachable(step["id"], step.get("config") or {}, None, reaches)
        resumed = packer.resume(resume)
    except (ConfigurationError, NotReachable) as error:
        masker = Masker(packer.secrets)
        raise type(error)(masker.text(error.message), code=error.code, hint=error.hint) from None
    files = tuple(sent_file(path, source) for path, source in sorted(packer.files.items()))
    connections = {
        name: {"fields": told["fields"], "secrets": told["secrets"]} for name, told in packer.connections.items()
    }
    request = {
        "kind": REQUEST,
        "protocol": PROTOCOL,
        "run_id": run_id,
        "manifest": {**manifest, "steps": steps},
        "params": packer.params,
        "connections": connections,
        "settings": {**settings, "journal": packer.config.runtime.journal},
        "resume": resumed,
        "files": [file.plain() for file in files],
        "outputs": packer.outputs,
    }
    components = tuple(dict.fromkeys(str(step["component"]) for step in manifest["steps"]))
    return Package(request, files, packer.outputs, components, tuple(dict.fromkeys(packer.secrets)))


class _Packer:
    """Goes through the steps and gathers what they need."""

    def __init__(self, root: Path, manifest: Mapping[str, Any], params: Mapping[str, Any]) -> None:
        from osiris.core.config import Config
        from osiris.core.run_params import fill_run_params

        self.root = root
        self.home = root.resolve()
        self.config = Config.load(root)
        self.allowed = followed(root, self.config.allowed_folders)
        self.files: dict[str, Path] = {}
        self.outputs: dict[str, list[str]] = {}
        self.connections: dict[str, dict[str, Any]] = {}
        self.secrets: list[str] = []
        self.params: dict[str, Any] = {}
        self.filled: list[Any] = list(manifest["steps"])
        if manifest.get("run_params") or params:
            self.filled, hidden = fill_run_params(manifest, given=params, environ=self.config.env)  # type: ignore[arg-type]
            self.secrets += hidden
            self.params = _values(manifest["run_params"], params, self.config.env)

    def step(self, sent: Mapping[str, Any], filled: Mapping[str, Any]) -> dict[str, Any]:
        """The step as it is sent: paths into the project are relative, for the project lies elsewhere there."""
        from osiris.components.registry import ComponentRegistry

        name = str(sent["id"])
        spec = ComponentRegistry.builtin().get(str(sent["component"]))
        config = dict(filled.get("config") or {})
        fields: dict[str, Any] = {}
        if reference := filled.get("connection"):
            resolved = self.config.connection(reference).resolve(self.config.env, spec)
            fields = dict(resolved.fields)
            self.secrets.extend(resolved.secrets)
            self._take_certificates(name, str(reference), fields)
            self.connections[name] = {
                "fields": fields, "secrets": list(resolved.secrets), "reference": str(reference)
            }  # fmt: skip
        else:
            config.pop("connection", None)
        changed = dict(sent.get("config") or {})
        for key, direction in (spec.path_keys if spec is not None else {}).items():
            assert spec is not None
            if key not in config and key not in fields:
                continue
            place = self._place(name, {**config, "connection": fields}, key, spec)
            self._gather(name, place, direction, spec)
            if [key] in sent.get("unresolved", ()):
                for told in (changed, fields):
                    for field_name in (key, spec.path_base_key or key):
                        self._make_relative(name, told, field_name, sent)
            else:
                self._say_where(changed, fields, key, spec.path_base_key, self._relative(place.path))
        return {**sent, "config": changed} if "config" in sent else dict(sent)

    def _place(self, step: str, config: Mapping[str, Any], key: str, spec: ComponentSpec) -> Place:
        try:
            place = resolve_path(self.root, config, key=key, base_key=spec.path_base_key, allowed=self.allowed)
            if spec.path_keys[key] == "output":
                refuse_own_file(self.root, place)
        except ConfigurationError as error:
            raise ConfigurationError(f"Step {step}: {error}", hint=error.hint) from error
        if not place.path.is_relative_to(self.home):
            raise NotReachable(
                f"Step {step}: {place.shown} lies outside the project folder, and only what lies in it goes along "
                "when a pipeline runs elsewhere.",
                hint="Keep the file in the project, or run on this machine: --target local.",
            )
        return place

    def _take_certificates(self, step: str, reference: str, fields: dict[str, Any]) -> None:
        """The certificates that a connection names go along; a private key never lies in a file elsewhere."""
        for name in (*_CERTIFICATES, *_PRIVATE_KEYS):
            found = file_field(fields, name, self.root) if fields.get(name) != "system" else None
            if found is None:
                continue
            path = Path(found).resolve()
            if name in _PRIVATE_KEYS or not path.is_relative_to(self.home):
                why = "is a private key" if name in _PRIVATE_KEYS else "lies outside the project folder"
                raise NotReachable(
                    f"Step {step}: the file {fields[name]}, which the field {name} of the connection {reference} "
                    f"names, {why}, so it does not go along when a pipeline runs elsewhere.",
                    hint="Keep certificates in the project and use no private key, or run on this machine: "
                    "--target local.",
                )
            fields[name] = self._relative(path)
            self.files.setdefault(fields[name], path)

    def _gather(self, step: str, place: Place, direction: str, spec: ComponentSpec) -> None:
        path = place.path
        if direction == "output":
            self.outputs.setdefault(step, []).append(self._relative(path))
            if spec.family == "filesystem":
                return  # it is written anew, whatever is there
        for found in _files_of(path, place.homes):
            self.files.setdefault(self._relative(found), found)
            for ending in BESIDE if spec.family != "filesystem" else ():
                beside = found.with_name(found.name + ending)
                if beside.is_file():
                    self.files.setdefault(self._relative(beside), beside)

    def resume(self, told: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """What an earlier run has done; the rows that it left go along."""
        if told is None:
            return None
        left = {step: Path(path).resolve() for step, path in told["left"].items()}
        self.files |= {self._relative(path): path for path in left.values()}
        return {**told, "left": {step: self._relative(path) for step, path in left.items()}}

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.home).as_posix()

    def _say_where(
        self, changed: dict[str, Any], fields: dict[str, Any], key: str, base_key: str | None, path: str
    ) -> None:
        """Name the file by where it really is in the project: links, and folders of this machine, do not go along."""
        if key not in changed:
            fields[key] = path
            return
        bases = [told for told in (changed, fields) if base_key is not None and told.get(base_key)]
        if not bases and posixpath.normpath(str(changed[key])) == path:
            return
        changed[key] = path
        for told in bases:
            told[str(base_key)] = "."

    def _make_relative(self, step: str, told: dict[str, Any], key: str, sent: Mapping[str, Any]) -> None:
        written = told.get(key)
        if not isinstance(written, str):
            return
        path = Path(os.path.expanduser(written))
        if path.is_absolute():
            for home in (self.root, self.home):
                if path.is_relative_to(home):
                    told[key] = path.relative_to(home).as_posix() or "."
                    return
            resolved = path.resolve()
            told[key] = self._relative(resolved) if resolved.is_relative_to(self.home) else written
        elif [key] in sent.get("unresolved", ()) and "${" in written and _whole_is_absolute(step, key, self.filled):
            raise NotReachable(
                f"Step {step}: its {key} comes from a parameter and begins at the root of this machine.",
                hint="Give a path relative to the project, or run on this machine: --target local.",
            )


def _whole_is_absolute(step: str, key: str, filled: list[Any]) -> bool:
    found = next(item for item in filled if item["id"] == step)
    return os.path.isabs(str((found.get("config") or {}).get(key, "")))


def _values(open_params: Mapping[str, Any], given: Mapping[str, Any], env: Mapping[str, str]) -> dict[str, Any]:
    """The values that the parameters of the run have on this machine; those with a default may have none."""
    from osiris.language.naming import variable_name

    found = {name: env[variable_name(name)] for name in open_params if variable_name(name) in env}
    return {**found, **given}


def _files_of(path: Path, homes: tuple[Path, ...]) -> Iterator[Path]:
    """The files that a path stands for; one behind a link that leads outside is left to the step to refuse."""
    if path.is_file():
        yield path
    elif path.is_dir():
        yield from (found for found in sorted(path.rglob("*")) if found.is_file() and not found.is_symlink())
    elif is_pattern(str(path)):
        for match in matches(path).files:
            if any(match.path.resolve().is_relative_to(home) for home in homes):
                yield match.path


def sent_file(path: str, source: Path) -> SentFile:
    """A file of this machine as it is now. Raises ConfigurationError when it cannot be read."""
    try:
        state = source.stat()
        digest = digest_of(source)
    except OSError as error:
        raise read_error(source, error) from None
    return SentFile(path, source, state.st_size, digest, (state.st_size, state.st_mtime_ns))


def _require_reachable(
    step: str, config: Mapping[str, Any], reference: str | None, reaches: Callable[[str], bool]
) -> None:
    for host in hosts_in(config):
        if not reaches(host):
            whose = f"the connection {reference}" if reference else "its configuration"
            raise NotReachable(
                f"Step {step}: {whose} names {host}, which is in a network of its own: the machine where the pipeline "
                "would run cannot reach it.",
                hint="Use an address that can be reached from outside, or run on this machine: --target local.",
            )
