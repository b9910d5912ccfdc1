"""The daemon in a sandbox: its files and processes, over HTTP and Connect (JSON)."""

from __future__ import annotations

import base64
import json
import os
import queue
import re
import shutil
import signal
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from e2b_double.template import owned_by_user
from e2b_double.wire import Connection, CutError

if TYPE_CHECKING:
    from e2b_double.box import Box
    from e2b_double.command import Command, Listener

_SIGNALS = {"SIGNAL_SIGKILL": signal.SIGKILL, "SIGNAL_SIGTERM": signal.SIGTERM}
_HTTP_OF = {
    "invalid_argument": 400,
    "unauthenticated": 401,
    "not_found": 404,
    "already_exists": 409,
    "failed_precondition": 400,
    "unimplemented": 501,
}


class RefusedError(Exception):
    """A call that the daemon does not carry out; ``code`` is that of Connect."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def serve(connection: Connection, box: Box) -> None:
    """Answer a request that is meant for the daemon of ``box``."""
    target = urlsplit(connection.path)
    query = {name: values[0] for name, values in parse_qs(target.query).items()}
    if target.path == "/health":
        connection.reply(204)
    elif target.path == "/files" and connection.command == "GET":
        _read(connection, box, query["path"])
    elif target.path == "/files":
        _write(connection, box, query.get("path"))
    else:
        _call(connection, box, target.path)


# --- files over HTTP


def _read(connection: Connection, box: Box, path: str) -> None:
    place = box.path(path)
    if place.is_dir():
        return connection.error(400, f"path '{path}' is a directory")
    if not place.is_file():
        return connection.error(404, f"path '{path}' does not exist")
    if connection.fault is not None and connection.fault.changed is not None:
        return connection.reply(200, place.read_bytes(), "application/octet-stream")
    size = place.stat().st_size
    connection.head(200, {"Content-Type": "application/octet-stream", "Content-Length": str(size)})
    with place.open("rb") as file:
        while size > 0 and (data := file.read(min(size, 1 << 18))):
            connection.put(data)
            size -= len(data)
    if size:
        raise CutError
    return None


def _write(connection: Connection, box: Box, path: str | None) -> None:
    kind = connection.headers.get("Content-Type") or ""
    if kind.startswith("application/octet-stream"):
        assert path is not None
        with _new_file(box, path) as file:
            for piece in connection.pieces():
                file.write(piece)
        written = [path]
    else:
        written = []
        for name, data in _parts(kind, connection.body()):
            with _new_file(box, path or name) as file:
                file.write(data)
            written.append(path or name)
    connection.reply(200, [{"name": Path(name).name, "type": "file", "path": name} for name in written])


def _new_file(box: Box, path: str) -> Any:
    place = box.path(path)
    _make_folders(box, place.parent)
    file = place.open("wb")
    owned_by_user(place)
    return file


def _make_folders(box: Box, folder: Path) -> None:
    missing = []
    while not folder.exists() and folder != box.root:
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        owned_by_user(path)


def _parts(kind: str, body: bytes) -> list[tuple[str, bytes]]:
    """The files of a multipart body: names and contents."""
    found = re.search(r'boundary="?([^";]+)"?', kind)
    assert found is not None
    mark = b"--" + found[1].encode()
    files = []
    for part in (b"\r\n" + body).split(b"\r\n" + mark)[1:-1]:
        head, _, data = part.partition(b"\r\n\r\n")
        name = re.search(rb'filename="([^"]*)"', head)
        files.append((name[1].decode() if name else "", data))
    return files


# --- calls


def _call(connection: Connection, box: Box, path: str) -> None:
    streams: dict[str, Callable[[Box, Connection, Any], tuple[Command, Listener]]] = {
        "/process.Process/Start": _start,
        "/process.Process/Connect": _connect,
    }
    try:
        if path in streams:
            body = connection.body()
            command, listener = streams[path](box, connection, json.loads(body[5:]))
            return _stream(connection, box, command, listener)
        call = _CALLS.get(path)
        if call is None:
            raise RefusedError("unimplemented", f"{path} is not known here")
        connection.reply(200, call(box, json.loads(connection.body() or b"{}")))
    except RefusedError as error:
        answer = {"code": error.code, "message": str(error)}
        if path in streams:  # an error of a stream comes in its last frame
            connection.head(200, {"Content-Type": "application/connect+json", "Transfer-Encoding": "chunked"})
            connection.frame({"error": answer}, 2)
            connection.put(b"0\r\n\r\n")
        else:
            connection.reply(_HTTP_OF[error.code], answer)
    return None


def _start(box: Box, connection: Connection, request: dict[str, Any]) -> tuple[Command, Listener]:
    config = request["process"]
    cwd = config.get("cwd") or "/home/user"
    if not box.path(cwd).is_dir():
        raise RefusedError("invalid_argument", f"cwd '{cwd}' does not exist")
    limit = int(connection.headers.get("Connect-Timeout-Ms") or 0) / 1000
    command = box.start(config, stdin=bool(request.get("stdin")), limit=limit or None)
    return command, command.first


def _connect(box: Box, connection: Connection, request: dict[str, Any]) -> tuple[Command, Listener]:
    command = _command(box, request)
    listener = command.listen()
    if listener is None:
        raise RefusedError("not_found", f"process with pid {command.pid} not found")
    return command, listener


def _stream(connection: Connection, box: Box, command: Command, listener: Listener) -> None:
    """Hand on what happens with a process, until its end or until the client is gone; the process does not mind."""
    pause = float(connection.headers.get("Keepalive-Ping-Interval") or 50)
    box.streams.add(connection)
    try:
        connection.head(200, {"Content-Type": "application/connect+json", "Transfer-Encoding": "chunked"})
        heard = time.monotonic()
        while True:
            try:
                event = listener.events.get(timeout=0.2)
            except queue.Empty:
                if connection.client_gone() or not box.alive:
                    raise CutError from None
                if time.monotonic() - heard > pause:
                    connection.frame({"event": {"keepalive": {}}})
                    heard = time.monotonic()
                continue
            if event is None:
                break
            connection.frame({"event": event})
            heard = time.monotonic()
        if not box.alive:
            raise CutError
        connection.frame({}, 2)
        connection.put(b"0\r\n\r\n")
    except CutError:
        connection.cut()
        raise
    finally:
        command.leave(listener)
        box.streams.discard(connection)


def _command(box: Box, request: dict[str, Any]) -> Command:
    pid = int((request.get("process") or {}).get("pid") or 0)
    command = box.commands.get(pid)
    if command is None or command.ended():
        raise RefusedError("not_found", f"process with pid {pid} not found")
    return command


def _list(box: Box, request: dict[str, Any]) -> dict[str, Any]:
    running = [command for command in box.commands.values() if not command.ended()]
    return {"processes": [{"pid": command.pid, "config": command.config} for command in running]}


def _signal(box: Box, request: dict[str, Any]) -> dict[str, Any]:
    command = _command(box, request)
    command.signal(_SIGNALS[request["signal"]])
    return {}


def _stdin(box: Box, request: dict[str, Any]) -> dict[str, Any]:
    command = _command(box, request)
    if command.process.stdin is None:
        raise RefusedError("failed_precondition", "stdin not enabled or closed")
    data = base64.b64decode(request["input"]["stdin"])
    try:
        command.write(box.translated(data.decode("latin-1")).encode("latin-1"))
    except (OSError, ValueError) as error:
        raise RefusedError("failed_precondition", f"stdin: {error}") from error
    return {}


def _close_stdin(box: Box, request: dict[str, Any]) -> dict[str, Any]:
    _command(box, request).close_stdin()
    return {}


def _stat(box: Box, request: dict[str, Any]) -> dict[str, Any]:
    return {"entry": _entry(_there(box, request["path"]), request["path"])}


def _make_dir(box: Box, request: dict[str, Any]) -> dict[str, Any]:
    place = box.path(request["path"])
    if place.is_dir():
        raise RefusedError("already_exists", f"directory already exists: {request['path']}")
    _make_folders(box, place)
    return {"entry": _entry(place, request["path"])}


def _list_dir(box: Box, request: dict[str, Any]) -> dict[str, Any]:
    top = _there(box, request["path"])
    depth = int(request.get("depth") or 1)
    found = []
    for folder, folders, names in os.walk(top):
        inside = Path(folder).relative_to(top)
        if len(inside.parts) + 1 >= depth:
            below, folders[:] = list(folders), []
        else:
            below = folders
        for name in (*below, *names):
            path = "/".join((request["path"].rstrip("/"), *inside.parts, name))
            found.append(_entry(Path(folder, name), path))
    return {"entries": sorted(found, key=lambda entry: entry["path"])}


def _remove(box: Box, request: dict[str, Any]) -> dict[str, Any]:
    place = box.path(request["path"])
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
    return {}


def _move(box: Box, request: dict[str, Any]) -> dict[str, Any]:
    place = box.path(request["destination"])
    _make_folders(box, place.parent)
    os.replace(_there(box, request["source"]), place)
    return {"entry": _entry(place, request["destination"])}


def _there(box: Box, path: str) -> Path:
    place = box.path(path)
    if not place.exists() and not place.is_symlink():
        raise RefusedError("not_found", f"path not found: stat {path}: no such file or directory")
    return place


def _entry(place: Path, path: str) -> dict[str, Any]:
    status = place.lstat()
    entry = {
        "name": Path(path).name,
        "path": path,
        "type": "FILE_TYPE_DIRECTORY" if place.is_dir() else "FILE_TYPE_FILE",
        "size": str(status.st_size),
        "mode": stat.S_IMODE(status.st_mode),
        "permissions": stat.filemode(status.st_mode),
        "owner": "user",
        "group": "user",
        "modifiedTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(status.st_mtime)),
    }
    return {**entry, "symlinkTarget": os.readlink(place)} if place.is_symlink() else entry


_CALLS: dict[str, Callable[[Box, dict[str, Any]], dict[str, Any]]] = {
    "/process.Process/List": _list,
    "/process.Process/SendSignal": _signal,
    "/process.Process/SendInput": _stdin,
    "/process.Process/CloseStdin": _close_stdin,
    "/filesystem.Filesystem/Stat": _stat,
    "/filesystem.Filesystem/MakeDir": _make_dir,
    "/filesystem.Filesystem/ListDir": _list_dir,
    "/filesystem.Filesystem/Remove": _remove,
    "/filesystem.Filesystem/Move": _move,
}
