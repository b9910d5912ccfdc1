"""SQL whose result may be another one the next time although its tables are the same."""

from __future__ import annotations

from osiris.syntax.sql import tokenize_sql

_SERVERS = """
    benchmark clock_timestamp connection_id curdate curtime database found_rows get_lock inet_client_addr
    last_insert_id lastval pg_backend_pid pg_sleep rand random_normal release_lock row_count schema sleep
    statement_timestamp sysdate system_user timeofday unix_timestamp utc_date utc_time utc_timestamp uuid_short
"""
_DUCKDB = """
    age ago current_catalog current_connection_id current_database current_date current_localtime
    current_localtimestamp current_query current_query_id current_role current_schema current_schemas
    current_setting current_time current_timestamp current_transaction_id current_user currval error gen_random_uuid
    get_block_size get_current_time get_current_timestamp getenv getvariable in_search_path localtime localtimestamp
    nextval now pg_conf_load_time pg_postmaster_start_time random sample session_user setseed setval shuffle
    sleep_ms stats tablesample today transaction_timestamp txid_current user uuid uuidv4 uuidv7 vector_type version
    write_log
"""
_SQLITE = """
    changes date datetime julianday last_insert_rowid randomblob sqlite_version strftime time timediff total_changes
    unixepoch
"""

VOLATILE = frozenset(_DUCKDB.split())
"""Words of DuckDB's SQL that make a result depend on when, where or how often it is made."""

_VOLATILE_ELSEWHERE = {"sqlite": frozenset(_SQLITE.split()), "duckdb": frozenset[str]()}
_VOLATILE_ON_SERVERS = frozenset(_SERVERS.split())
_MOMENTS = ("now", "today", "tomorrow", "yesterday", "localtime")


def is_volatile(sql: str, dialect: str) -> bool:
    """Whether a query may give other rows the next time although its tables are the same. In doubt it may."""
    words = VOLATILE | _VOLATILE_ELSEWHERE.get(dialect, _VOLATILE_ON_SERVERS)
    for token in tokenize_sql(sql):
        text = token.text.strip("\"`[]'").lower()
        if token.kind in ("word", "quoted_identifier") and text in words:
            return True
        if token.kind in ("string", "dollar_string") and any(moment in text for moment in _MOMENTS):
            return True
    return False
