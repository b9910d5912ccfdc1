"""The double of E2B: what the unmodified package sees of it, and what processes in its sandboxes do not see."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from e2b import (
    AuthenticationException,
    CommandExitException,
    FileNotFoundException,
    RateLimitException,
    Sandbox,
    SandboxException,
    SandboxQuery,
    TimeoutException,
)

from e2b_double import E2BDouble


@pytest.fixture(scope="module")
def service() -> Iterator[E2BDouble]:
    with E2BDouble() as double, pytest.MonkeyPatch.context() as patch:
        for name, value in double.settings.items():
            patch.setenv(name, value)
        yield double


@pytest.fixture
def double(service: E2BDouble) -> Iterator[E2BDouble]:
    yield service
    service.new_test()


@pytest.fixture
def sandbox(double: E2BDouble) -> Sandbox:
    return Sandbox.create(timeout=60, metadata={"of": "test"}, envs={"PLACE": "Brünn"})


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


def test_a_sandbox_is_made_found_prolonged_and_ended_once(double, sandbox):
    assert sandbox.is_running()
    assert sandbox.get_info().metadata == {"of": "test"}
    sandbox.set_timeout(600)
    left = sandbox.get_info().end_at.timestamp() - time.time()
    again = Sandbox.connect(sandbox.sandbox_id)
    found = Sandbox.list(query=SandboxQuery(metadata={"of": "test"})).next_items()
    none = Sandbox.list(query=SandboxQuery(metadata={"of": "another"})).next_items()
    assert (500 < left < 700, [item.sandbox_id for item in found], none) == (True, [again.sandbox_id], [])
    assert (again.kill(), sandbox.kill(), sandbox.is_running(), double.running()) == (True, False, False, [])


def test_a_command_streams_what_it_prints_and_says_how_it_ended(sandbox):
    heard: list[tuple[str, str]] = []
    result = sandbox.commands.run(
        "printf 'é'; echo $PLACE; echo oh >&2",
        on_stdout=lambda text: heard.append(("out", text)),
        on_stderr=lambda text: heard.append(("err", text)),
    )
    assert (result.exit_code, result.stdout, result.stderr) == (0, "éBrünn\n", "oh\n")
    assert "".join(text for kind, text in heard if kind == "out") == result.stdout
    with pytest.raises(CommandExitException) as failed:
        sandbox.commands.run("echo no; exit 3")
    assert (failed.value.exit_code, failed.value.stdout) == (3, "no\n")


def test_a_process_in_the_background_is_fed_listed_joined_and_killed(sandbox):
    handle = sandbox.commands.run(
        "while read line; do echo got $line; done; echo end; sleep 60", background=True, stdin=True
    )
    assert [process.pid for process in sandbox.commands.list()] == [handle.pid]
    joined = sandbox.commands.connect(handle.pid)
    handle.disconnect()
    handle.send_stdin("one\ntwo\n")
    handle.close_stdin()
    heard = ""
    for out, _, _ in joined:
        heard += out or ""
        if "end" in heard:
            break
    assert heard == "got one\ngot two\nend\n"
    assert (handle.kill(), sandbox.commands.run("echo alive").stdout) == (True, "alive\n")
    until(lambda: sandbox.commands.list() == [])
    assert handle.kill() is False


def test_the_time_limit_of_a_command_ends_it_even_when_nobody_listens(sandbox):
    handle = sandbox.commands.run("sleep 60", background=True, timeout=1)
    handle.disconnect()
    until(lambda: sandbox.commands.list() == [])


def test_files_come_and_go_whole_in_both_ways_of_sending(sandbox):
    data = os.urandom(3_000_000)
    sandbox.files.write("a/mehr/ö.bin", data)
    sandbox.files.write("/home/user/b.bin", io.BytesIO(data))
    sandbox.files.write("c.txt", iter([b"one ", b"two"]), use_octet_stream=True)
    assert sandbox.files.read("/home/user/a/mehr/ö.bin", format="bytes") == data
    assert b"".join(sandbox.files.read("b.bin", format="stream")) == data
    assert sandbox.files.read("c.txt") == "one two"
    assert (
        sandbox.commands.run("sha256sum < a/mehr/ö.bin; sha256sum < b.bin").stdout.split()[0::2]
        == [hashlib.sha256(data).hexdigest()] * 2
    )


def test_folders_are_listed_and_entries_moved_and_removed(sandbox):
    assert (sandbox.files.make_dir("x/y"), sandbox.files.make_dir("x/y")) == (True, False)
    sandbox.files.write("x/y/z.txt", "hello")
    assert [entry.path for entry in sandbox.files.list("/home/user/x", depth=2)] == [
        "/home/user/x/y",
        "/home/user/x/y/z.txt",
    ]
    sandbox.files.rename("x/y/z.txt", "x/w.txt")
    assert (sandbox.files.exists("x/y/z.txt"), sandbox.files.get_info("x/w.txt").size) == (False, 5)
    sandbox.files.remove("x")
    assert not sandbox.files.exists("x")
    with pytest.raises(FileNotFoundException):
        sandbox.files.read("x/w.txt")


def test_processes_see_their_own_sandbox_and_nothing_else_of_this_machine(double, sandbox, tmp_path, monkeypatch):
    (tmp_path / "of-the-host.txt").write_text("private")
    monkeypatch.setenv("OF_THE_HOST", "private")
    other = Sandbox.create(timeout=60)
    other.files.write("of-another.txt", "theirs")
    handle = other.commands.run("sleep 60", background=True)
    looked = sandbox.commands.run(
        f"ls {tmp_path} {Path.home()} /home/user /tmp; env; ps ax; id -un; touch /usr/x /home/user/mine; "
        "python3 -c \"import socket; socket.create_connection(('127.0.0.1', "
        f'{double.url.rsplit(":", 1)[1]}))"; true'
    )
    everything = looked.stdout + looked.stderr
    if double.isolation is not None:
        assert not [word for word in ("of-the-host", "OF_THE_HOST", "of-another", "sleep 60") if word in everything]
        assert "Read-only file system" in everything or "Permission denied" in everything
        assert "Network is unreachable" in everything
    assert [path.name for path in double.boxes[sandbox.sandbox_id].files() if path.name == "mine"] == ["mine"]
    assert handle.kill()


def test_the_template_runs_this_version_of_osiris(sandbox):
    import osiris

    assert sandbox.commands.run("osiris --version").stdout.split()[-1] == osiris.__version__


def test_without_osiris_in_the_template_pip_installs_what_was_uploaded_and_finds_the_rest():
    from e2b_double.wheels import tiny_wheel

    with E2BDouble(osiris=False) as double:
        place = {"api_key": double.key, "api_url": double.url, "sandbox_url": double.url}
        sandbox = Sandbox.create(timeout=120, **place)
        with pytest.raises(CommandExitException, match="No module named 'osiris'"):
            sandbox.commands.run("python3 -c 'import osiris'")
        name, data = tiny_wheel()
        sandbox.files.write(name, data)
        sandbox.commands.run(f"python3 -m pip install {name}")
        assert sandbox.commands.run("python3 -c 'import tiny, duckdb; print(tiny.WORD)'").stdout == "installed\n"


def test_a_sandbox_ends_with_its_time_limit_and_takes_its_processes_along(double):
    sandbox = Sandbox.create(timeout=1)
    handle = sandbox.commands.run("sleep 60 & sleep 60", background=True, timeout=0)
    processes = list(double.boxes[sandbox.sandbox_id].processes())
    assert processes
    with pytest.raises(TimeoutException, match="was killed or reached its"):
        handle.wait()
    until(lambda: not any(process.is_running() and process.status() != "zombie" for process in processes))
    assert (double.running(), sandbox.is_running()) == ([], False)
    with pytest.raises(SandboxException):
        sandbox.files.read("x")


def test_requests_fail_on_order(double, sandbox):
    with pytest.raises(AuthenticationException):
        Sandbox.create(api_key="e2b_" + "1" * 40)
    double.most_boxes = 1
    with pytest.raises(RateLimitException, match="maximum number of concurrent"):
        Sandbox.create()
    for operation, status, error in (("info", 403, SandboxException), ("info", 500, SandboxException)):
        double.fail(operation, status=status, times=1)
        with pytest.raises(error, match=str(status)):
            sandbox.get_info()
    assert sandbox.get_info()


def test_streams_and_downloads_are_cut_after_some_bytes_and_the_process_goes_on(double, sandbox):
    sandbox.files.write("big", b"x" * 200_000)
    double.fail("files.read", cut_after=100_000, times=1)
    with pytest.raises(Exception, match=r"(?i)body|read|connection|decod|incomplete"):
        sandbox.files.read("big", format="bytes")
    double.fail("files.read", changed=lambda data: data[:-1] + b"y", times=1)
    assert sandbox.files.read("big")[-2:] == "xy"
    double.fail("start", cut_after=600, times=1)
    handle = sandbox.commands.run("for i in $(seq 400); do echo line $i; sleep 0.01; done; touch done", background=True)
    with pytest.raises(Exception, match=r"(?i)unreachable|connection|stream|could not|incomplete"):
        handle.wait()
    assert [process.pid for process in sandbox.commands.list()] == [handle.pid]


def test_nobody_gets_through_for_a_while_and_then_everybody_does_again(double, sandbox):
    handle = sandbox.commands.run("sleep 60", background=True)
    with double.offline(), pytest.raises(Exception, match=r"(?i)connect|reach"):
        sandbox.files.exists("x", request_timeout=1)
    assert [process.pid for process in sandbox.commands.list()] == [handle.pid]


def test_the_record_holds_every_byte_also_those_in_base64(double, sandbox):
    sandbox.files.write("x", "up-in-a-file")
    handle = sandbox.commands.run("cat; echo down-in-a-stream", background=True, stdin=True)
    handle.send_stdin("up-over-stdin")
    handle.close_stdin()
    handle.wait()
    assert double.record is not None
    kinds = {
        needle: {name.split(".", 1)[1] for name in double.record.found(needle.encode())}
        for needle in ("up-in-a-file", "up-over-stdin", "down-in-a-stream", double.key, "nowhere")
    }
    assert kinds["up-in-a-file"] == {"files.write.up"}
    assert kinds["up-over-stdin"] == {"stdin.up", "start.down"}
    assert "start.down" in kinds["down-in-a-stream"]
    assert (kinds[double.key], kinds["nowhere"]) == ({"create.up"}, set())


def test_what_can_be_seen_of_processes_is_sampled_while_they_run(double, sandbox):
    double.watching = True
    sandbox.commands.run("NAME=in-the-environment sleep 1.0123")
    seen = double.boxes[sandbox.sandbox_id].seen
    assert any(b"1.0123" in line for line in seen.command_lines)
    assert any(b"in-the-environment" in line for line in seen.environments)


def test_many_clients_at_once_each_get_their_own(double, sandbox):
    answers: dict[int, str] = {}

    def ask(number: int) -> None:
        answers[number] = sandbox.commands.run(f"echo {number}; head -c 300000 /dev/zero | tr '\\0' x | wc -c").stdout

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == {number: f"{number}\n300000\n" for number in range(6)}


def test_nothing_is_left_when_the_double_ends():
    with E2BDouble() as double:
        place = {"api_key": double.key, "api_url": double.url, "sandbox_url": double.url}
        sandbox = Sandbox.create(timeout=60, **place)
        sandbox.commands.run("setsid sleep 60 & sleep 60", background=True)
        processes = list(double.boxes[sandbox.sandbox_id].processes())
    assert not double.folder.exists()
    for process in processes:
        with contextlib.suppress(Exception):
            process.wait(10)
    assert not any(process.is_running() for process in processes)


def test_without_namespaces_the_paths_of_a_sandbox_lead_to_its_own_folder():
    with E2BDouble(isolation=False) as double:
        place = {"api_key": double.key, "api_url": double.url, "sandbox_url": double.url}
        sandbox = Sandbox.create(timeout=60, **place)
        sandbox.files.write("/home/user/in.txt", "words")
        assert sandbox.commands.run("cat /home/user/in.txt; cat in.txt").stdout == "wordswords"
        assert sandbox.commands.run("cat > /home/user/out.txt < /home/user/in.txt").exit_code == 0
        assert sandbox.files.read("/home/user/out.txt") == "words"
