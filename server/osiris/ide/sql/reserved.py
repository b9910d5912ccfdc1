"""The words that are no names in a dialect unless they are quoted."""

from __future__ import annotations

from osiris.syntax.sql import word_set

_MYSQL = word_set(
    """
    accessible add all alter analyze and array as asc asensitive before between bigint binary blob both by call cascade
    case change char character check collate column condition constraint continue convert create cross cube cume_dist
    current_date current_role current_time current_timestamp current_user cursor database databases day_hour
    day_microsecond day_minute day_second dec decimal declare default delayed delete dense_rank desc describe
    deterministic distinct distinctrow div double drop dual each else elseif empty enclosed escaped except exists exit
    explain false fetch first_value float float4 float8 for force foreign from fulltext function generated get grant
    group grouping groups having high_priority hour_microsecond hour_minute hour_second if ignore in index infile inner
    inout insensitive insert int int1 int2 int3 int4 int8 integer intersect interval into is iterate join json_table key
    keys kill lag last_value lateral lead leading leave left like limit linear lines load localtime localtimestamp lock
    long longblob longtext loop low_priority match maxvalue mediumblob mediumint mediumtext middleint minute_microsecond
    minute_second mod modifies natural no_write_to_binlog not nth_value ntile null numeric of offset on optimize
    optimizer_costs option optionally or order out outer outfile over partition percent_rank precision primary procedure
    purge range rank read read_write reads real recursive references regexp release rename repeat replace require
    resignal restrict return returning revoke right rlike rollup row row_number rows schema schemas second_microsecond
    select sensitive separator set show signal smallint spatial specific sql sql_big_result sql_calc_found_rows
    sql_small_result sqlexception sqlstate sqlwarning ssl starting stored straight_join system table terminated then
    tinyblob tinyint tinytext to trailing trigger true undo union unique unlock unsigned update usage use using utc_date
    utc_time utc_timestamp values varbinary varchar varcharacter varying virtual when where while window with write xor
    year_month zerofill
    """
)
_POSTGRES = word_set(
    """
    all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation
    column concurrently constraint create cross current_catalog current_date current_role current_schema current_time
    current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze
    from full grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit
    localtime localtimestamp natural not notnull null offset on only or order outer overlaps placing primary recursive
    references returning right select session_user similar some symmetric table tablesample then to trailing true union
    unique user using variadic verbose when where window with
    """
)
_DUCKDB = word_set(
    """
    all analyse analyze and anti any array as asc asof asymmetric at authorization binary both by case cast check
    collate collation column columns concurrently constraint create cross default deferrable desc describe distinct do
    else end except false fetch for foreign freeze from full generated glob group having ilike in initially inner
    intersect into is isnull join lambda lateral leading left like limit map natural not notnull null offset on only or
    order outer overlaps pivot pivot_longer pivot_wider placing positional primary qualify recursive references
    returning right select semi show similar some struct summarize symmetric table tablesample then to trailing true
    try_cast union unique unpack unpivot using variadic verbose when where window with
    """
)
_SQLITE = word_set(
    """
    add all alter and as between case cast check collate commit constraint create cross current_date current_time
    current_timestamp default deferrable delete distinct drop else escape except exists false foreign from full group
    having in index indexed inner insert intersect into is isnull join left limit natural not nothing notnull null on or
    order outer primary raise recursive references returning right select set table then to transaction true union
    unique update using values when where
    """
)
RESERVED = {"mysql": _MYSQL, "postgres": _POSTGRES, "duckdb": _DUCKDB, "sqlite": _SQLITE}
