"""Words of DuckDB's grammar that decide how a query is read."""

from __future__ import annotations

from osiris.syntax.sql import word_set

RESERVED = word_set(
    """
    ALL ANALYSE ANALYZE AND ANY ARRAY AS ASC ASYMMETRIC BOTH CASE CAST CHECK COLLATE COLUMN CONSTRAINT CREATE DEFAULT
    DEFERRABLE DESC DESCRIBE DISTINCT DO ELSE END EXCEPT FALSE FETCH FOR FOREIGN FROM GROUP HAVING IN INITIALLY
    INTERSECT INTO LAMBDA LATERAL LEADING LIMIT NOT NULL OFFSET ON ONLY OR ORDER PIVOT PIVOT_LONGER PIVOT_WIDER PLACING
    PRIMARY QUALIFY REFERENCES RETURNING SELECT SHOW SOME SUMMARIZE SYMMETRIC TABLE THEN TO TRAILING TRUE UNION UNIQUE
    UNPIVOT USING VARIADIC WHEN WHERE WINDOW WITH
    """
)
# They are no columns and no names without AS, but functions may be called so.
HALF_RESERVED = word_set(
    """
    ANTI ASOF AT AUTHORIZATION BINARY BY COLLATION CONCURRENTLY CROSS FREEZE FULL GENERATED GLOB ILIKE INNER IS ISNULL
    JOIN LEFT LIKE MAP NATURAL NOTNULL OUTER OVERLAPS POSITIONAL RIGHT SEMI SIMILAR STRUCT TABLESAMPLE TRY_CAST TUPLE
    UNPACK VERBOSE
    """
)
NO_NAMES = RESERVED | HALF_RESERVED
QUERY_STARTS = frozenset(("SELECT", "WITH", "FROM", "VALUES"))
OPERATOR_CHARACTERS = frozenset("+-*/%^<>=!~|&@")
PREFIXES = frozenset(("-", "+", "~", "@", "!"))
CONSTANTS = frozenset(("NULL", "TRUE", "FALSE"))
# Between the arguments of these functions words may stand in place of commas.
SPOKEN = {
    "EXTRACT": frozenset(("FROM",)),
    "TRIM": frozenset(("FROM",)),
    "SUBSTRING": frozenset(("FROM", "FOR")),
    "OVERLAY": frozenset(("PLACING", "FROM", "FOR")),
}
UNITS = word_set(
    """
    YEAR YEARS MONTH MONTHS DAY DAYS HOUR HOURS MINUTE MINUTES SECOND SECONDS MILLISECOND MILLISECONDS MICROSECOND
    MICROSECONDS WEEK WEEKS QUARTER QUARTERS DECADE DECADES CENTURY CENTURIES MILLENNIUM MILLENNIA
    """
)
# Names without parentheses that the engine answers itself.
ANSWERED = word_set(
    """
    user current_user session_user current_role current_catalog current_database current_schema current_date
    current_time current_timestamp localtime localtimestamp get_current_timestamp rowid
    """
)
ONE_COLUMN = frozenset(("RANGE", "GENERATE_SERIES", "UNNEST"))
"""Functions in FROM that give one column, which is called as they are or as the table is."""
