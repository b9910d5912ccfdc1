"""What is on the disk of a new sandbox, and the namespaces that hide everything else of this machine from it.

A sandbox has a root folder of its own. Over it lie, read-only, the system's programs, the interpreter and the installed
distributions; nothing else of the host is to be seen: no home folder, no ``/tmp``, no project, no process, no network.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

SERVER = Path(__file__).parents[2] / "server"
USER = 1000
PATH = "/opt/python/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_SYSTEM = ("/usr", "/etc/alternatives", "/etc/ssl", "/etc/ld.so.cache", "/etc/localtime")
_LINKS = {"python": "python3", "fd": "/proc/self/fd", "stdin": "/proc/self/fd/0"}

# The first process of a sandbox. It ends when its standard input does, and all other processes with it.
FIRST_PROCESS = r"""
set -e
root=$1
shift
mount --bind "$root" "$root"
for path in "$@"; do
    mount --rbind "$path" "$root$path"
    mount -o remount,bind,ro "$root$path" 2>/dev/null || true
done
for device in null zero full random urandom tty; do
    mount --bind "/dev/$device" "$root/dev/$device" 2>/dev/null || true
done
mount -t proc proc "$root/proc"
cd "$root"
pivot_root . .host
umount -l /.host
echo ready
read -r end || true
"""


@dataclass(frozen=True)
class Isolation:
    """How processes are put into namespaces of their own."""

    outside: tuple[str, ...]
    inside: tuple[str, ...]

    @staticmethod
    @functools.cache
    def possible() -> Isolation | None:
        """What this machine allows; None where it has no such thing, or forbids it."""
        spaces = ("--mount", "--pid", "--net", "--ipc", "--fork", "--kill-child=SIGKILL")
        entering = ("--mount", "--pid", "--net", "--ipc")
        as_root = Isolation(("unshare", *spaces), ("nsenter", *entering, f"--setuid={USER}", f"--setgid={USER}"))
        as_user = Isolation(
            ("unshare", "--user", "--map-root-user", *spaces),
            ("nsenter", "--user", "--preserve-credentials", *entering),
        )
        for way in (as_root, as_user):
            probe = [*way.outside, "sh", "-c", "mount -t proc proc /proc && mount --bind /usr /usr"]
            try:
                if subprocess.run(probe, capture_output=True, timeout=20).returncode == 0:
                    return way
            except (OSError, subprocess.TimeoutExpired):
                continue
        return None


def owned_by_user(path: Path) -> None:
    """Give ``path`` to the user of the sandbox, where we may."""
    if os.geteuid() == 0:
        os.chown(path, USER, USER, follow_symlinks=False)


class Template:
    """The image that sandboxes start from: an interpreter as ``python3`` with the distributions of this environment.

    With ``osiris`` it holds this very version of Osiris, too; without, whoever needs it installs it. There is no
    network, so what pip needs must be there (pip knows: ``no-index``).
    """

    def __init__(self, folder: Path, *, osiris: bool = True) -> None:
        """``folder`` keeps what all sandboxes share; it lives as long as they do."""
        self.osiris = osiris
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._interpreter = Path(os.path.realpath(sys.executable))
        packages = Path(sysconfig.get_paths()["purelib"])
        links = folder / "packages"
        links.mkdir()
        for entry in packages.iterdir():
            if "osiris" not in entry.name.lower() and entry.suffix != ".pth":
                (links / entry.name).symlink_to(entry)
        paths = [links, *([SERVER] if osiris else [])]
        if osiris:
            for info in packages.glob("osiris_oml-*.dist-info"):
                (links / info.name).symlink_to(info)
        self._search = "".join(f"{path}\n" for path in paths)
        prefix = Path(sys.base_prefix)
        shown = [Path(path) for path in _SYSTEM]
        shown += [path for path in (Path("/lib"), Path("/lib64"), Path("/bin"), Path("/sbin")) if not path.is_symlink()]
        shown += [path for path in (prefix, packages, links) if not path.is_relative_to("/usr")]
        shown += [SERVER] if osiris else []
        self.shown = tuple(path for path in shown if path.exists())

    def lay_out(self, root: Path) -> None:
        """Fill ``root``, a new folder, with what a sandbox starts from."""
        for name in ("home/user", "tmp", "proc", "dev/shm", "etc", "var/tmp", "run", ".host", "root", "code"):
            (root / name).mkdir(parents=True, exist_ok=True)
        for name in ("tmp", "var/tmp", "dev/shm"):
            (root / name).chmod(0o1777)
        for name in ("home/user", "code"):
            owned_by_user(root / name)
        for name in ("bin", "sbin", "lib", "lib64"):
            host = Path("/", name)
            if host.is_symlink():
                (root / name).symlink_to(os.readlink(host))
        for name in _DEVICES:
            (root / "dev" / name).touch()
        for path in self.shown:
            place = root / path.relative_to("/")
            if path.is_dir():
                place.mkdir(parents=True, exist_ok=True)
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.touch()
        (root / "dev/fd").symlink_to("/proc/self/fd")
        self._settings(root / "etc")
        self._python(root / "opt/python")

    def _settings(self, etc: Path) -> None:
        (etc / "profile").write_text(f"export PATH={PATH}\nexport LANG=C.UTF-8\n")
        (etc / "passwd").write_text(f"root:x:0:0::/root:/bin/bash\nuser:x:{USER}:{USER}::/home/user:/bin/bash\n")
        (etc / "group").write_text(f"root:x:0:\nuser:x:{USER}:\n")
        (etc / "hosts").write_text("127.0.0.1 localhost\n")
        (etc / "pip.conf").write_text("[global]\nno-index = true\ndisable-pip-version-check = true\n")

    def _python(self, folder: Path) -> None:
        """As in a real image the folder belongs to root: what the user installs goes to their own site-packages."""
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        packages = folder / "lib" / version / "site-packages"
        programs = folder / "bin"
        for path in (packages, programs):
            path.mkdir(parents=True)
        (packages / "template.pth").write_text(self._search)
        (folder / "pyvenv.cfg").write_text(
            f"home = {self._interpreter.parent}\ninclude-system-site-packages = true\nversion = 3\n"
        )
        for name in ("python3", "python", version):
            (programs / name).symlink_to(self._interpreter)
        scripts = {"pip": "-m pip", **({"osiris": "-m osiris"} if self.osiris else {})}
        for name, module in scripts.items():
            (programs / name).write_text(f'#!/bin/sh\nexec "${{0%/*}}/python3" {module} "$@"\n')
            (programs / name).chmod(0o755)

    def remove(self) -> None:
        """Remove what the sandboxes shared."""
        shutil.rmtree(self.folder, ignore_errors=True)
