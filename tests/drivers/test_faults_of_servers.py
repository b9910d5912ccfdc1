"""What becomes of a step that its database server fails: the cause is named, and what cannot help is not tried.

Every fault goes away after the first attempt, as far as it can go away by itself: whoever tries again, succeeds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from drivers.interference import proxy_to, unused_port


@pytest.fixture(params=["mysql", "postgres"])
def shop(request):
    """A project with a database on each kind of server, and an empty table."""
    shop = request.getfixturevalue(f"{request.param}_shop")
    shop.execute("CREATE TABLE t (a INT)")
    return shop


def write(shop):
    return shop.sql("read", (), "SELECT 1 AS a"), shop.load("read", table="t", mode="append")


def read(shop):
    return shop.extract("w", query="SELECT 1 AS a"), shop.to_csv("c", "w", "out.csv")


@contextmanager
def nobody_listens(shop) -> Iterator[None]:
    with unused_port() as port:
        shop.connect_as(port=port)
        yield


@contextmanager
def a_wrong_password(shop) -> Iterator[None]:
    shop.connect_as(password="wr0ng")
    yield


@contextmanager
def a_cut(shop, word) -> Iterator[None]:
    with proxy_to(shop.server.port) as proxy:
        shop.connect_as(port=proxy.port)
        proxy.cut_at(word)
        yield


def gone_while_it_reads(shop):
    return a_cut(shop, b"SELECT 1 AS a")


def gone_while_it_writes(shop):
    return a_cut(shop, {"mysql": b"`.`t`", "postgres": b"COPY"}[family(shop)])


@contextmanager
def the_server_says(shop, number, state, message) -> Iterator[None]:
    """The server refuses the first row with this error, by a trigger: what it says then is as real as it can be."""
    if family(shop) == "mysql":
        shop.execute(
            "CREATE SEQUENCE attempts",
            "CREATE TRIGGER fails BEFORE INSERT ON t FOR EACH ROW BEGIN IF NEXT VALUE FOR attempts = 1 THEN"
            f" SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = {number}, MESSAGE_TEXT = '{message}'; END IF; END",
        )
    else:
        shop.execute(
            "CREATE SEQUENCE attempts",
            "CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF nextval('attempts') = 1 THEN"
            f" RAISE EXCEPTION '{message}' USING ERRCODE = '{state}'; END IF; RETURN NEW; END $$",
            "CREATE TRIGGER fails BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION fails()",
        )
    yield


def a_deadlock(shop):
    return the_server_says(shop, 1213, "40P01", "Deadlock found")


def a_full_disk(shop):
    return the_server_says(shop, 1114, "53100", "The disk is full")


@contextmanager
def a_lock_of_others(shop) -> Iterator[None]:
    """Somebody else keeps the table for longer than the step may take, each time."""
    other = shop.server.connect(shop.database_name, autocommit=False)
    other.cursor().execute("LOCK TABLES t WRITE" if family(shop) == "mysql" else "LOCK TABLE t")
    try:
        yield
    finally:
        other.close()


def family(shop) -> str:
    return shop.server.family


@dataclass(frozen=True)
class Fault:
    """``steps``: what is run; ``message``: the beginning of what is said; ``passes``: the second attempt succeeds."""

    steps: Callable
    cause: Callable
    message: str
    tried_again: bool
    passes: bool = False
    timeout: int | None = None


FAULTS = {
    "nobody listens": Fault(write, nobody_listens, "Cannot connect to the {product} server at {place}: the connection"
                            " was refused.", tried_again=True),
    "a wrong password": Fault(write, a_wrong_password, "The {product} server at {place} does not let the user osiris"
                              " in: the user or the password is wrong.", tried_again=False),
    "gone while it reads": Fault(read, gone_while_it_reads, "The connection to the {product} server at {place} was"
                                 " lost.", tried_again=True, passes=True),
    "gone while it writes": Fault(write, gone_while_it_writes, "The connection to the {product} server at {place} was"
                                  " lost.", tried_again=True, passes=True),
    "a deadlock": Fault(write, a_deadlock, "The {product} server at {place} reports: Deadlock found.",
                        tried_again=True, passes=True),
    "a full disk": Fault(write, a_full_disk, "The {product} server at {place} reports: The disk is full.",
                         tried_again=False),
    "a lock of others": Fault(write, a_lock_of_others, "It took longer than its timeout of 1 s and was stopped.",
                              tried_again=True, timeout=1),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_and_tried_again_only_where_that_can_help(shop, name):
    fault = FAULTS[name]
    steps = [
        {**step, "retry": {"attempts": 2, "delay": 0, "max_delay": 0}}
        | ({"timeout": fault.timeout} if fault.timeout else {})
        if step["id"] == "w"
        else step
        for step in fault.steps(shop)
    ]
    with fault.cause(shop):
        place = f"127.0.0.1:{port_of(shop)}"
        run = shop.run_here(*steps)

    said = [event["message"] for event in run.events if event["event"] in ("step_retry", "step_error")]
    product = {"mysql": "MySQL", "postgres": "PostgreSQL"}[family(shop)]
    attempts = 1 if fault.passes or not fault.tried_again else 2
    assert said == [fault.message.format(product=product, place=place)] * attempts
    assert run.state == ("succeeded" if fault.passes else "failed")
    assert bool(run.named("step_retry")) is fault.tried_again
    written = 1 if fault.passes and fault.steps is write else 0
    assert shop.query("SELECT count(*) FROM t") == [(written,)]


def port_of(shop) -> str:
    """The port that the connection names."""
    text = shop.read("osiris_connections.yaml")
    return text.partition("port: ")[2].split()[0]
