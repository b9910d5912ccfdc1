"""What discovery says when a database server does not let it in, says nothing, or goes away: on real servers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from drivers.interference import Proxy, answers_with, proxy_to, unused_port
from osiris.core.catalog_source import CatalogSession, Timeouts, catalog_source
from osiris.core.error_taxonomy import ConnectionError as Unreachable
from osiris.core.error_taxonomy import classify, describe
from servers import PASSWORD, MariaDB, PostgreSQL, Server

# libpq waits at least two seconds for a connection.
TIMEOUTS = Timeouts(connect=2, statement=1)
GENEROUS = 10  # seconds within which a message must be there on a machine that does other things as well


@pytest.fixture(params=["mysql", "postgres"])
def server(request: pytest.FixtureRequest) -> Server:
    """Each of the servers in turn."""
    found: Server = request.getfixturevalue({"mysql": "mariadb", "postgres": "postgres"}[request.param])
    return found


@contextmanager
def session(server: Server, tmp_path: Path, **fields: Any) -> Iterator[CatalogSession]:
    source = catalog_source(server.family)
    with source.connect(server.fields(server.home) | fields, root=tmp_path, timeouts=TIMEOUTS) as opened:
        yield opened


def failure(server: Server, tmp_path: Path, **fields: Any) -> Unreachable:
    """The error of a connection that cannot be opened."""
    started = time.monotonic()
    with pytest.raises(Unreachable) as caught, session(server, tmp_path, **fields):
        pass
    assert time.monotonic() - started < GENEROUS
    return caught.value


SLOW = {"mysql": "CREATE VIEW slow AS SELECT sleep(9)", "postgres": "CREATE VIEW slow AS SELECT pg_sleep(9)::text"}
PRODUCTS = {"mysql": "MySQL", "postgres": "PostgreSQL"}


def test_nobody_listens(server: Server, tmp_path: Path) -> None:
    with unused_port() as port:
        error = failure(server, tmp_path, port=port)

    product = PRODUCTS[server.family]
    assert error.message == f"Cannot connect to the {product} server at 127.0.0.1:{port}: the connection was refused."
    assert error.hint is not None
    assert "host and port" in error.hint
    assert classify(error) == "unreachable"


def test_the_host_does_not_exist(server: Server, tmp_path: Path) -> None:
    error = failure(server, tmp_path, host="no-such-host.invalid")

    place = f"the {PRODUCTS[server.family]} server at no-such-host.invalid:{server.port}"
    assert error.message == f"Cannot connect to {place}: there is no host of that name."


def test_a_server_that_accepts_and_never_answers(server: Server, tmp_path: Path) -> None:
    with answers_with(b"") as port:
        error = failure(server, tmp_path, port=port)

    assert error.message.endswith(f"server at 127.0.0.1:{port}: no answer within 2 seconds.")
    assert classify(error) == "timeout"


BANNERS = {"http": b"HTTP/1.1 400 Bad Request\r\n\r\n", "ssh": b"SSH-2.0-OpenSSH_9.2p1\r\n", "zeros": b"\x00" * 100}


@pytest.mark.parametrize("banner", BANNERS.values(), ids=BANNERS)
def test_what_answers_is_something_else(server: Server, banner: bytes, tmp_path: Path) -> None:
    with answers_with(banner) as port:
        error = failure(server, tmp_path, port=port)

    assert f"Cannot connect to the {PRODUCTS[server.family]} server at 127.0.0.1:{port}" in error.message


def test_the_password_is_wrong(server: Server, tmp_path: Path) -> None:
    error = failure(server, tmp_path, password="not-the-passw0rd")

    place = f"The {PRODUCTS[server.family]} server at 127.0.0.1:{server.port}"
    assert error.message == f"{place} does not let the user osiris in: the user or the password is wrong."
    assert "not-the-passw0rd" not in describe(error)
    assert classify(error) == "authentication"


def test_the_password_is_missing(server: Server, tmp_path: Path) -> None:
    error = failure(server, tmp_path, password=None)

    assert error.message.endswith("does not let the user osiris in without a password.")


def test_the_user_does_not_exist(server: Server, tmp_path: Path) -> None:
    error = failure(server, tmp_path, user="nobody-here")

    assert error.message.endswith("does not let the user nobody-here in: the user or the password is wrong.")


def test_a_postgres_server_that_asks_for_no_password_says_that_there_is_no_such_role(
    postgres: PostgreSQL, tmp_path: Path
) -> None:
    said = b'SFATAL\0VFATAL\0C28000\0Mrole "ghost" does not exist\0\0'
    with answers_with(b"E" + (len(said) + 4).to_bytes(4) + said) as port:
        error = failure(postgres, tmp_path, port=port, user="ghost", password=None, sslmode="disable")

    assert error.message == f"The PostgreSQL server at 127.0.0.1:{port} has no user ghost."
    assert classify(error) == "authentication"


def test_the_database_does_not_exist(server: Server, tmp_path: Path) -> None:
    error = failure(server, tmp_path, database="no_such_database")

    assert error.message.endswith(f"server at 127.0.0.1:{server.port} has no database no_such_database.")
    assert classify(error) == "not_found"


def test_the_user_may_not_use_the_database_of_mysql(mariadb: MariaDB, tmp_path: Path) -> None:
    mariadb.execute("CREATE USER guest@'%' IDENTIFIED BY 'just-l00king'")
    try:
        error = failure(mariadb, tmp_path, user="guest", password="just-l00king")
    finally:
        mariadb.execute("DROP USER guest@'%'")

    place = f"the MySQL server at 127.0.0.1:{mariadb.port}"
    assert error.message == f"The user guest may not use the database mysql of {place}."
    assert classify(error) == "permission"


def test_the_user_may_not_use_the_database_of_postgres(postgres: PostgreSQL, tmp_path: Path) -> None:
    with postgres.database() as database:
        postgres.execute(
            "CREATE ROLE guest LOGIN PASSWORD 'just-l00king'", f"REVOKE CONNECT ON DATABASE {database} FROM PUBLIC"
        )
        try:
            error = failure(postgres, tmp_path, user="guest", password="just-l00king", database=database)
        finally:
            postgres.execute("DROP ROLE guest")

    assert error.message.startswith(f"The user guest may not use the database {database} of")


def test_tls_is_wanted_and_the_server_has_none(server: Server, tmp_path: Path) -> None:
    field = {"mysql": {"ssl_mode": "required"}, "postgres": {"sslmode": "require"}}[server.family]

    error = failure(server, tmp_path, **field)

    assert " with TLS: " in error.message
    assert error.message.endswith(
        {
            "mysql": "SSL is required but the server doesn't support it.",
            "postgres": "server does not support SSL, but SSL was required.",
        }[server.family]
    )


def test_certificates_that_are_none_are_named(mariadb: MariaDB, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate", encoding="utf-8")
    source = catalog_source("mysql")

    with (
        pytest.raises(Exception, match="The certificates of the connection cannot be used"),
        source.connect(mariadb.fields("mysql", ssl_ca="ca.pem"), root=tmp_path, timeouts=TIMEOUTS),
    ):
        pass


def test_a_server_that_cuts_the_line_between_two_questions(server: Server, tmp_path: Path) -> None:
    with proxy_to(server.port) as proxy, session(server, tmp_path, port=proxy.port) as opened:
        opened.tables()
        proxy.vanish()
        with pytest.raises(Unreachable) as caught:
            opened.columns()

    place = f"the {PRODUCTS[server.family]} server at 127.0.0.1:{proxy.port}"
    assert caught.value.message == f"The connection to {place} was lost."


def test_a_network_that_goes_away_in_the_middle_of_a_question(server: Server, tmp_path: Path) -> None:
    with proxy_to(server.port) as proxy, session(server, tmp_path, port=proxy.port) as opened:
        opened.tables()
        proxy.fall_silent()
        started = time.monotonic()
        with pytest.raises(Unreachable) as caught:
            opened.columns()
        assert time.monotonic() - started < GENEROUS

    place = f"The {PRODUCTS[server.family]} server at 127.0.0.1:{proxy.port}"
    assert caught.value.message == f"{place} did not answer a query within 1 second."
    assert classify(caught.value) == "timeout"


def test_a_server_that_vanishes_in_the_middle_of_a_question(server: Server, tmp_path: Path) -> None:
    with (
        server.database(SLOW[server.family]) as database,
        proxy_to(server.port) as proxy,
        session(server, tmp_path, port=proxy.port, database=database) as opened,
    ):
        view = next(info for info in opened.tables() if info.name == "slow")
        later = threading.Timer(0.3, Proxy.vanish, [proxy])
        later.start()
        with pytest.raises(Unreachable, match="was lost"):
            opened.sample(view, 1)
        later.join()


def test_a_query_that_takes_too_long_is_given_up(server: Server, tmp_path: Path) -> None:
    with (
        server.database(SLOW[server.family]) as database,
        session(server, tmp_path, database=database) as opened,
    ):
        view = next(info for info in opened.tables() if info.name == "slow")
        started = time.monotonic()
        with pytest.raises(Unreachable, match="did not answer a query within 1 second"):
            opened.sample(view, 1)
        assert time.monotonic() - started < GENEROUS


def test_no_secret_is_part_of_any_message(server: Server, tmp_path: Path) -> None:
    errors = [
        failure(server, tmp_path, database=PASSWORD),
        failure(server, tmp_path, user=PASSWORD, password=PASSWORD),
        failure(server, tmp_path, host=f"{PASSWORD}.invalid"),
    ]

    assert not [error for error in errors if PASSWORD in describe(error) + (error.hint or "")]
