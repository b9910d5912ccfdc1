"""Runs on another machine, as far as no kind of machine matters: here it is a folder and processes of this one."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import jsonschema
import psutil
import pytest

from osiris.core.schemas import schema
from osiris.core.session_logging import SessionLogger
from osiris.drivers.context import StepStopped
from osiris.execution.remote import protocol
from osiris.execution.remote.errors import NotReachable
from osiris.execution.remote.kept import KeptLogger
from osiris.execution.remote.package import pack
from osiris.execution.remote.relay import Relay
from osiris.execution.remote.session import Job, Session
from osiris.execution.ulid import new_run_id
from runtime.process_machine import ProcessMachine

SECRET = "correct-horse-battery"
PEOPLE = [(1, "Ann"), (2, "Žofie"), (3, "Bob")]


def shop(project):
    """Steps that read a file by a pattern, add rows to a database that is there, twice, and write a file."""
    project.write("in/a-1.csv", "n,name\n1,Ann\n2,Žofie\n")
    project.write("in/a-2.csv", "n,name\n3,Bob\n")
    project.database("shop.db", "CREATE TABLE t (n INTEGER, name TEXT)", "INSERT INTO t VALUES (0, 'Old')")
    return (
        project.csv("people", "in/a-*.csv"),
        project.step("add", "sqlite.writer", sources="people", path="shop.db", table="t"),
        project.step("again", "sqlite.writer", sources="people", needs="add", path="shop.db", table="t"),
        project.sql("odd", "people", "SELECT * FROM df_people WHERE n % 2 = 1 ORDER BY n"),
        project.to_csv("save", "odd", "out/odd.csv"),
    )


def rows(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT n, name FROM t ORDER BY n").fetchall()


class Recording(ProcessMachine):
    """Remembers what was told to the worker there, and what its log said here when a writer was let on."""

    said: bytes = b""
    request: bytes = b""
    log: Path
    known: list[str]

    def run(self, command, *, given=None, seconds=60):
        self.request = given or self.request
        return super().run(command, given=given, seconds=seconds)

    def put(self, path, content):
        if path.endswith(protocol.KEPT):
            (events,) = (self.log / "logs").glob("run_*/events.jsonl")
            self.known = [json.loads(line)["event"] for line in events.read_text().splitlines()]
        super().put(path, content)

    def end(self):
        wire = Path(self.home, protocol.WIRE)
        self.said = wire.read_bytes() if wire.exists() else self.said
        super().end()


def test_a_run_elsewhere_is_the_same_run_and_both_sides_keep_to_the_schema(project, machines):
    Recording.log = project.root
    machines._kind = Recording
    run = project.run(*shop(project), target="process")
    assert run.state == "succeeded", run.status
    assert project.read("out/odd.csv") == "n,name\n1,Ann\n3,Bob\n"
    assert rows(project.root / "shop.db") == [(0, "Old"), *[row for row in PEOPLE for _ in "ab"]]
    assert project.leftovers() == []

    validator = jsonschema.Draft202012Validator(schema("remote"))
    messages = [json.loads(line) for line in machines.machine.said.splitlines()]
    for message in (json.loads(machines.machine.request), *messages):
        validator.validate(message)
    assert [message["n"] for message in messages] == list(range(1, len(messages) + 1))
    assert {message["kind"] for message in messages} >= {"hello", "event", "metric", "file", "end"}
    # A writer that adds rows was held back until the log here said that it is about to make them final.
    assert "step_commit" in machines.machine.known
    # The end of a step is told after its files.
    told = [message.get("path") or message["record"].get("step_id") for message in messages if is_end_or_file(message)]
    assert told.index("out/odd.csv") < told.index("save")
    assert told.index("shop.db") < told.index("add")


def is_end_or_file(message):
    return message["kind"] == "file" or message.get("record", {}).get("event") == "step_complete"


def test_a_file_that_is_named_by_its_full_path_is_found_elsewhere_too(project, machines):
    project.write("in/a.csv", "n\n1\n")
    steps = project.csv("r", str(project.root / "in/a.csv")), project.to_csv("w", "r", str(project.root / "out/a.csv"))
    run = project.run(*steps, target="process")
    assert run.state == "succeeded", run.status
    assert project.read("out/a.csv") == "n\n1\n"


def test_files_behind_links_and_base_folders_are_found_elsewhere_too(project, machines):
    project.write("real/a.csv", "n\n1\n")
    (project.root / "in").symlink_to(project.root / "real")
    project.write(
        "osiris_connections.yaml", f"connections: {{filesystem: {{mine: {{base_dir: {project.root}/in}}}}}}\n"
    )
    read = {**project.step("r", "filesystem.csv_extractor", path="a.csv"), "connection": "@filesystem.mine"}
    both = project.csv("p", "in/*.csv"), project.sql("both", ["r", "p"], "FROM df_r UNION ALL FROM df_p")
    run = project.run(read, *both, project.to_csv("w", "both", "out/a.csv"), target="process")
    assert run.state == "succeeded", run.status
    assert project.read("out/a.csv") == "n\n1\n1\n"


def test_what_stands_beside_a_database_goes_along_and_is_not_left_to_the_one_that_comes_back(project, machines):
    """A process that was killed left rows in the write-ahead log alone."""
    project.write("in/a.csv", "n,name\n1,Ann\n")
    (project.root / "made").mkdir()
    with closing(sqlite3.connect(project.root / "made/shop.db", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = wal")
        database.execute("CREATE TABLE t (n INTEGER, name TEXT)")
        database.execute("INSERT INTO t VALUES (0, 'Old')")
        for name in ("shop.db", "shop.db-wal"):
            project.write(name, (project.root / "made" / name).read_bytes())
    add = project.step("add", "sqlite.writer", sources="r", path="shop.db", table="t")
    run = project.run(project.csv("r", "in/a.csv"), add, target="process")
    assert run.state == "succeeded", run.status
    assert rows(project.root / "shop.db") == [(0, "Old"), (1, "Ann")]


def test_the_death_of_the_process_there_is_told_as_one_here(project, machines, until):
    project.write("in/a.csv", "n\n1\n")
    endless = "WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t) SELECT max(i) AS i FROM t, df_r"
    steps = project.csv("r", "in/a.csv"), project.sql("q", "r", endless), project.to_csv("w", "q", "out/a.csv")
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(project.run(*steps, target="process")))
    thread.start()
    until(lambda: machines.made and "step_start" in json.dumps(list(events(project))))
    agent = psutil.Process(int(Path(machines.machine.home, protocol.PID).read_text()))
    for worker in agent.children():
        os.kill(worker.pid, signal.SIGKILL)
    thread.join(60)
    error = found[0].status["error"]
    assert error["code"] == "OML618"
    assert "it was killed (SIGKILL)" in error["message"]


def events(project):
    for path in (project.root / "logs").glob("run_*/events.jsonl"):
        yield from (json.loads(line) for line in path.read_text().splitlines())


def test_what_happened_while_nobody_listened_is_told_once(project, machines, until):
    """The first host is gone after some events, in the middle of a line; the second one hears all again."""
    manifest = project.manifest(*shop(project))
    run_dir = project.root / "logs" / new_run_id()
    logger = SessionLogger(run_dir, run_dir.name)
    settings = {"memory": None, "parallel": 4, "deterministic": False}
    job = Job(manifest, project.root, run_dir, logger, settings=settings)
    first = Session(job, machines)
    heard = threading.Event()
    take = Relay.take

    def lost(self, kind, record):
        if record.get("event") == "step_start" and record.get("step_id") != "people":
            heard.set()
            raise SystemExit  # as if the process had been killed
        return take(self, kind, record)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Relay, "take", lost)
        patch.setattr(first, "_end", lambda: None)
        with pytest.raises(SystemExit):
            first.run()
    assert heard.is_set()
    with (run_dir / "events.jsonl").open("a") as file:
        file.write('{"ts": "2026')
    end = Session(job, machines).go_on()
    assert end["outcome"]["state"] == "succeeded", end
    names = [(event["event"], event.get("step_id")) for event in events(project)]
    assert len(names) == len(set(names))
    assert sorted(step for name, step in names if name == "step_complete") == ["add", "again", "odd", "people", "save"]
    assert rows(project.root / "shop.db")[-1] == (3, "Bob")


def test_a_writer_goes_on_only_when_its_note_is_kept(tmp_path):
    with KeptLogger(tmp_path, "run_x") as logger:
        logger.log_event("step_start", {"step_id": "a"})
        logger.log_event("step_commit", {"step_id": "b", "repeatable": True})  # may be done twice: waits for nobody
        done = threading.Event()

        def commit() -> None:
            logger.log_event("step_commit", {"step_id": "a", "repeatable": False})
            done.set()

        threading.Thread(target=commit, daemon=True).start()
        logger.kept(2)
        assert not done.wait(0.3)
        logger.log_event("step_progress", {"step_id": "b"})  # nobody else is held back
        logger.kept(3)
        assert done.wait(20)
        logger.give_up()
        with pytest.raises(StepStopped):
            logger.log_event("step_commit", {"step_id": "a", "repeatable": False})


def test_another_machine_writes_no_event_of_ours(tmp_path):
    with SessionLogger(tmp_path, "run_x") as logger:
        relay = Relay(logger)
        for name in ("run_complete", "run_queued", "remote_start", "Bad Name", 5):
            assert not relay.take("event", {"event": name, "session": "run_y"})
        assert relay.take("event", {"event": "step_start", "session": "run_y", "ts": "never", "step_id": "a"})
    (event,) = map(json.loads, (tmp_path / "events.jsonl").read_text().splitlines())
    assert (event["session"], event["event"]) == ("run_x", "step_start")
    assert event["ts"] > "2026"


def test_another_machine_cannot_make_a_status_of_its_own(project, machines, monkeypatch):
    """It may be in the hands of somebody else: what it says of the end must have the form of an end."""
    from osiris.execution.remote import session

    heard = session.Session._hear

    lie = {"state": "glorious"}

    def lying(self, message, *others):
        told = {**message, "outcome": message["outcome"] | lie} if "outcome" in message else message
        return heard(self, told, *others)

    monkeypatch.setattr(session.Session, "_hear", lying)
    steps = shop(project)
    run = project.run(*steps, target="process")
    assert (run.state, run.status["error"]["code"]) == ("failed", "OML618")
    assert "it did not say how it ended" in run.error()
    lie = {"pipeline": "of another", "target": "local"}
    run = project.run(*steps, target="process")
    assert (run.state, run.status["pipeline"], run.status["target"]) == ("succeeded", "test", "process")


# ---- Packing -----------------------------------------------------------------------------------------------------


def packed(project, *steps):
    settings = {"memory": None, "parallel": 1, "deterministic": False}
    return pack(
        project.manifest(*steps),
        root=project.root,
        run_id=new_run_id(),
        params={},
        settings=settings,
        reaches=lambda host: host == "db.example.com",
    )


def test_only_the_connections_of_the_manifest_go_along(project, monkeypatch):
    monkeypatch.setenv("OWN", SECRET)
    monkeypatch.setenv("OTHER", "another-secret-value")
    project.write(
        "osiris_connections.yaml",
        "connections:\n  mysql:\n    far: {host: db.example.com, user: u, password: '${OWN}', database: d}\n"
        "    other: {host: db.example.com, user: u, password: '${OTHER}', database: d}\n",
    )
    step = {**project.step("r", "mysql.extractor", table="t"), "connection": "@mysql.far"}
    package = packed(project, step)
    assert package.secrets == (SECRET,)
    assert package.request["connections"]["r"]["fields"]["password"] == SECRET
    assert "another-secret-value" not in json.dumps(package.request)
    assert SECRET not in repr(package)


@pytest.mark.parametrize(
    "fields",
    ["host: localhost", "host: 10.0.0.7", "host: db", "host: '::1'", "unix_socket: /run/mysqld.sock, host: x"],
)
def test_a_server_that_cannot_be_reached_from_there_is_said_first(project, fields):
    project.write(
        "osiris_connections.yaml",
        f"connections:\n  mysql:\n    near: {{{fields}, user: u, password: {SECRET}, database: d}}\n",
    )
    step = {**project.step("r", "mysql.extractor", table="t"), "connection": "@mysql.near"}
    with pytest.raises(NotReachable, match=r"Step r: the connection @mysql\.near names") as problem:
        packed(project, step)
    assert problem.value.code == "OML631"
    assert SECRET not in str(problem.value)


@pytest.mark.parametrize(
    ("field", "file", "message"),
    [
        ("sslrootcert", "certs/ca.pem", None),
        ("sslrootcert", "../ca.pem", "lies outside the project folder"),
        ("sslkey", "certs/own.key", "is a private key"),
    ],
)
def test_certificates_of_a_connection_go_along_and_private_keys_never_do(project, field, file, message):
    project.write(file, "of somebody")
    fields = f"{{host: db.example.com, user: u, password: {SECRET}, database: d, {field}: {project.root / file}}}"
    project.write("osiris_connections.yaml", f"connections: {{postgres: {{far: {fields}}}}}\n")
    step = {**project.step("r", "postgres.extractor", table="t"), "connection": "@postgres.far"}
    if message is None:
        package = packed(project, step)
        assert package.request["connections"]["r"]["fields"][field] == file
        assert [sent.path for sent in package.files] == [file]
    else:
        with pytest.raises(NotReachable, match=f"Step r: the file .*{file}.*{field}.*{message}"):
            packed(project, step)


def test_a_file_in_an_allowed_folder_outside_does_not_go_along(project, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.csv").write_text("n\n1\n")
    project.write("osiris.yaml", "paths: {allow: [../data]}\n")
    with pytest.raises(NotReachable, match=r"Step r: .*a\.csv lies outside the project folder"):
        packed(project, project.csv("r", "../data/a.csv"))
