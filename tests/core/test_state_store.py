"""The state file: private, shared by processes, brought up to date, set aside when it is damaged."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from osiris.core.error_taxonomy import ConfigurationError, ExecutionError
from osiris.core.state_store import StateStore
from osiris.core.state_tables import MIGRATIONS
from osiris.core.user_dirs import state_dir

FINGERPRINT = "f" * 64


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "state.db"


def elsewhere(path: Path, code: str) -> None:
    """Run ``code`` with a ``store`` in another process."""
    head = "from pathlib import Path; from osiris.core.state_store import StateStore; "
    head += f"store = StateStore(Path({str(path)!r}))"
    subprocess.run([sys.executable, "-P", "-c", f"{head}\n{code}\nstore.close()"], check=True)


def test_it_stands_in_the_users_state_folder() -> None:
    assert StateStore().path == state_dir() / "state.db"


def test_consent_is_given_kept_and_taken_back(path: Path) -> None:
    with StateStore(path) as store:
        assert not store.has_consent(FINGERPRINT)
        store.grant_consent(FINGERPRINT)
        store.grant_consent(FINGERPRINT)
    with StateStore(path) as store:
        assert store.has_consent(FINGERPRINT)
        assert not store.has_consent("e" * 64)
        assert store.withdraw_consent(FINGERPRINT) == 1
        assert not store.has_consent(FINGERPRINT)


def test_all_consents_are_taken_back_at_once(path: Path) -> None:
    with StateStore(path) as store:
        assert store.withdraw_consent() == 0
        store.grant_consent("a")
        store.grant_consent("b")
        assert store.withdraw_consent() == 2


def test_reading_makes_no_file(path: Path) -> None:
    with StateStore(path) as store:
        assert not store.has_consent(FINGERPRINT)
        assert store.change_mark() is None
    assert not path.parent.exists()


def test_folder_and_file_are_for_their_owner_alone(path: Path) -> None:
    with StateStore(path) as store:
        store.grant_consent(FINGERPRINT)
        files = list(path.parent.iterdir())
        assert path in files
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_it_works_with_a_write_ahead_log_and_trusts_nothing_in_the_file(path: Path) -> None:
    with StateStore(path) as store:
        store.grant_consent(FINGERPRINT)

        def settings(db: sqlite3.Connection) -> list[object]:
            return [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "trusted_schema")]

        assert store.read(settings, absent=[]) == ["wal", 0]


def test_where_there_is_no_write_ahead_log_a_journal_will_do(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.parent.mkdir()
    # What memory-mapped files need cannot be made here, as on some network file systems.
    monkeypatch.setattr(os, "urandom", lambda size: b"\0" * size)
    (path.parent / f".state.db.{'00' * 6}.new-shm").mkdir()
    with StateStore(path) as store:
        store.grant_consent(FINGERPRINT)
        mode = store.read(lambda db: str(db.execute("PRAGMA journal_mode").fetchone()[0]), absent="")
    assert mode == "delete"
    with StateStore(path) as store:
        assert store.has_consent(FINGERPRINT)


# ---- What others do --------------------------------------------------------------------------------------------------


def test_the_mark_changes_with_every_write_of_this_and_of_other_processes(path: Path) -> None:
    with StateStore(path) as store:
        marks = [store.change_mark()]
        store.grant_consent("a")
        marks.append(store.change_mark())
        elsewhere(path, "store.grant_consent('b')")
        marks.append(store.change_mark())
        store.grant_consent("c")
        marks.append(store.change_mark())
        assert len(set(marks)) == 4
        assert store.has_consent("b")
        assert store.change_mark() == store.change_mark() == marks[-1]


def test_a_file_that_somebody_removed_is_begun_anew(path: Path) -> None:
    with StateStore(path) as store:
        store.grant_consent("a")
        mark = store.change_mark()
        for file in path.parent.iterdir():
            file.unlink()
        assert not store.has_consent("a")
        store.grant_consent("b")
        assert store.change_mark() != mark
        elsewhere(path, "assert store.has_consent('b') and not store.has_consent('a')")


def test_a_transaction_that_fails_leaves_nothing(path: Path) -> None:
    with StateStore(path) as store:
        store.grant_consent("a")

        def work(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM consents")
            raise RuntimeError("in the middle")

        with pytest.raises(RuntimeError, match="in the middle"):
            store.write(work)
        assert store.has_consent("a")


def test_who_waits_too_long_for_another_process_is_told(path: Path) -> None:
    with StateStore(path) as store, StateStore(path, wait=0.05) as other:
        store.grant_consent("a")

        def work(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM consents")
            assert other.has_consent("a")  # reading waits for nobody
            with pytest.raises(ExecutionError, match=r"Cannot write the state file .*: other processes keep it busy"):
                other.grant_consent("b")

        store.write(work)


# ---- Layouts ---------------------------------------------------------------------------------------------------------

NEXT = (*MIGRATIONS, ("CREATE TABLE talks (id INTEGER PRIMARY KEY)", "ALTER TABLE consents ADD COLUMN note TEXT"))


def test_an_older_file_is_brought_up_to_date_with_all_that_is_in_it(path: Path) -> None:
    with StateStore(path) as store:
        store.grant_consent("a")
    with StateStore(path, migrations=NEXT) as store:
        assert store.has_consent("a")
        assert store.read(lambda db: db.execute("SELECT note FROM consents").fetchall(), absent=[]) == [(None,)]


def test_a_new_file_has_the_newest_layout(path: Path) -> None:
    with StateStore(path, migrations=NEXT) as store:
        store.write(lambda db: db.execute("INSERT INTO talks DEFAULT VALUES"))
        assert store.read(lambda db: db.execute("PRAGMA user_version").fetchone(), absent=None) == (len(NEXT),)


def test_a_step_that_fails_leaves_the_file_in_the_layout_before(path: Path) -> None:
    with StateStore(path) as store:
        store.grant_consent("a")
    broken = (*MIGRATIONS, ("CREATE TABLE talks (id INTEGER PRIMARY KEY)", "NONSENSE"))
    with StateStore(path, migrations=broken) as store, pytest.raises(ExecutionError, match="NONSENSE"):
        store.has_consent("a")
    with StateStore(path, migrations=NEXT) as store:
        assert store.has_consent("a")


def test_the_file_of_a_newer_version_is_refused_and_left_alone(path: Path) -> None:
    with StateStore(path, migrations=NEXT) as store:
        store.grant_consent("a")
    before = path.read_bytes()
    with StateStore(path) as store:
        for use in (lambda: store.has_consent("a"), lambda: store.grant_consent("b")):
            with pytest.raises(ConfigurationError, match="was written by a newer version of Osiris") as refused:
                use()
            assert refused.value.hint == "Update Osiris, or set OSIRIS_STATE_DIR to another folder."
        assert store.change_mark() == store.change_mark()
    assert path.read_bytes() == before


# ---- Damage ----------------------------------------------------------------------------------------------------------


def set_aside(path: Path) -> list[bytes]:
    return [file.read_bytes() for file in path.parent.glob("state.db.damaged-*") if file.suffix[1:].startswith("dam")]


@pytest.mark.parametrize(
    "content", [b"this is no database, but a text of more than a hundred bytes " * 4, b"\0" * 4096]
)
def test_a_file_that_is_no_database_is_set_aside_and_said(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with StateStore(path) as store:
        store.change_mark()
        assert not store.has_consent("a")
        store.grant_consent("a")
        assert store.has_consent("a")
        (remark,) = store.remarks
    assert remark.startswith(f"The state file {path} was damaged (file is not a database) and is now state.db.damaged-")
    assert set_aside(path) == [content]


def test_a_database_of_somebody_else_is_set_aside(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE consents (x)")
    db.close()
    with StateStore(path) as store:
        store.grant_consent("a")
        assert "it is no state file of Osiris" in store.remarks[0]


def test_an_empty_file_becomes_a_state_file(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    with StateStore(path) as store:
        store.grant_consent("a")
        assert store.has_consent("a")
        assert store.remarks == ()


def test_damage_inside_is_noticed_when_it_is_met(path: Path) -> None:
    with StateStore(path) as store:
        for number in range(200):
            store.grant_consent(f"{number:064}")
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)
    with StateStore(path) as store:
        assert not store.has_consent(f"{7:064}")
        store.grant_consent("a")
        assert store.has_consent("a")
        assert "was damaged" in store.remarks[0]


def test_what_one_process_set_aside_no_other_sets_aside_again(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"damaged " * 100)
    code = "import sys; from pathlib import Path; from osiris.core.state_store import StateStore\n"
    code += f"StateStore(Path({str(path)!r})).grant_consent(sys.argv[1])"
    running = [subprocess.Popen([sys.executable, "-P", "-c", code, str(number)]) for number in range(8)]
    assert [process.wait() for process in running] == [0] * 8
    with StateStore(path) as store:
        assert all(store.has_consent(str(number)) for number in range(8))
    assert set_aside(path) == [b"damaged " * 100]


def test_a_folder_that_cannot_be_written_is_said(path: Path) -> None:
    path.parent.write_text("a file")
    with StateStore(path) as store, pytest.raises(ExecutionError, match=r"Cannot write .*state"):
        store.grant_consent("a")
