"""The functions that queries use most, by dialect: how they are called, and what they give in a few words.

A line is a signature, a blank, two dashes and what it gives. ``[x]`` may be left out.
"""

from __future__ import annotations

_COMMON = """
abs(x) -- the value without its sign
avg(x) -- the mean of all values
ceil(x) -- the next whole number upwards
coalesce(x, ...) -- the first value that is not null
count(*) -- how many rows there are
count(x) -- how many values are not null
floor(x) -- the next whole number downwards
length(text) -- how long a text is
lower(text) -- the text in small letters
ltrim(text) -- without blanks in front
max(x) -- the largest value
min(x) -- the smallest value
nullif(x, y) -- null where both are equal, else x
replace(text, from, to) -- with each occurrence replaced
round(x, digits) -- rounded to so many digits
row_number() OVER (...) -- the number of the row in its window
rank() OVER (...) -- the rank, with gaps after ties
dense_rank() OVER (...) -- the rank without gaps
lag(x, [offset], [default]) OVER (...) -- the value of an earlier row
lead(x, [offset], [default]) OVER (...) -- the value of a later row
first_value(x) OVER (...) -- the value of the first row in the window
last_value(x) OVER (...) -- the value of the last row in the window
ntile(n) OVER (...) -- the number of the bucket, of n equal ones
rtrim(text) -- without blanks at the end
sign(x) -- -1, 0 or 1
substr(text, start, [length]) -- a part of the text; the first letter is 1
sum(x) -- the sum of all values
trim(text) -- without blanks at both ends
upper(text) -- the text in capitals
cast(x AS type) -- the value as another type
"""
_SERVERS = """
concat(x, ...) -- the texts joined
concat_ws(separator, x, ...) -- the texts joined with a separator, nulls left out
greatest(x, ...) -- the largest of the arguments
least(x, ...) -- the smallest of the arguments
left(text, n) -- the first n letters
right(text, n) -- the last n letters
lpad(text, length, fill) -- filled up in front
rpad(text, length, fill) -- filled up at the end
repeat(text, n) -- the text n times
reverse(text) -- the text from its end
mod(x, y) -- the rest of a division
power(x, y) -- x to the power of y
sqrt(x) -- the square root
exp(x) -- e to the power of x
ln(x) -- the natural logarithm
md5(text) -- a digest, as hexadecimal text
extract(unit FROM date) -- one part of a date, such as YEAR
now() -- the present time
stddev_samp(x) -- the standard deviation of a sample
var_samp(x) -- the variance of a sample
percent_rank() OVER (...) -- the rank between 0 and 1
"""
_MYSQL = """
char_length(text) -- how many letters a text has
curdate() -- today
date(x) -- the day of a time
date_add(date, INTERVAL n unit) -- a later date
date_sub(date, INTERVAL n unit) -- an earlier date
date_format(date, format) -- a date as text, such as '%Y-%m-%d'
datediff(x, y) -- how many days lie between y and x
day(date) -- the day of the month
dayofweek(date) -- the day of the week; Sunday is 1
from_unixtime(seconds, [format]) -- a time from seconds since 1970
group_concat(x ORDER BY y SEPARATOR text) -- the texts of all rows joined
hour(time) -- the hour
if(condition, x, y) -- x where the condition holds, else y
ifnull(x, y) -- y where x is null
instr(text, part) -- where the part begins, or 0
isnull(x) -- 1 where x is null
json_extract(json, path) -- a part of a document, such as '$.name'
json_unquote(json) -- a JSON text without its quotes
last_day(date) -- the last day of the month
locate(part, text, [start]) -- where the part begins, or 0
month(date) -- the month
quarter(date) -- the quarter
rand() -- a random number between 0 and 1
regexp_replace(text, pattern, to) -- with each match replaced
regexp_substr(text, pattern) -- the first match
sha2(text, bits) -- a digest, as hexadecimal text
str_to_date(text, format) -- a date from a text
substring_index(text, separator, n) -- what stands before the n-th separator
timestampdiff(unit, x, y) -- how many units lie between x and y
truncate(x, digits) -- cut off after so many digits
unix_timestamp([date]) -- seconds since 1970
utc_timestamp() -- the present time in UTC
week(date, [mode]) -- the week of the year
year(date) -- the year
convert(x, type) -- the value as another type
"""
_POSTGRES = """
age(x, y) -- the interval from y to x
array_agg(x ORDER BY y) -- the values of all rows as an array
array_length(array, dimension) -- how many elements an array has
array_to_string(array, separator) -- the elements as one text
bool_and(x) -- whether all values are true
bool_or(x) -- whether any value is true
count(*) FILTER (WHERE condition) -- how many rows meet the condition
date_part(unit, date) -- one part of a date, such as 'year'
date_trunc(unit, date) -- cut off to the unit, such as 'month'
format(format, x, ...) -- text with values put in
generate_series(start, stop, [step]) -- a row for each number or time
initcap(text) -- each word with a capital
json_agg(x) -- the values of all rows as JSON
json_build_object(key, value, ...) -- a JSON object
jsonb_array_elements(json) -- a row for each element
jsonb_build_object(key, value, ...) -- a JSON object
make_date(year, month, day) -- a date
percentile_cont(fraction) WITHIN GROUP (ORDER BY x) -- a percentile between values
position(part IN text) -- where the part begins, or 0
random() -- a random number between 0 and 1
regexp_match(text, pattern) -- the parts of the first match
regexp_replace(text, pattern, to, [flags]) -- with the first match replaced; 'g' for each
split_part(text, separator, n) -- the n-th part
string_agg(x, separator ORDER BY y) -- the texts of all rows joined
strpos(text, part) -- where the part begins, or 0
to_char(x, format) -- a date or number as text
to_date(text, format) -- a date from a text
to_timestamp(seconds) -- a time from seconds since 1970
trunc(x, [digits]) -- cut off after so many digits
unnest(array) -- a row for each element
"""
_SQLITE = """
changes() -- how many rows the last statement changed
char(n, ...) -- the letters with these code points
date(time, [modifier], ...) -- a date, such as date('now', '-1 day')
datetime(time, [modifier], ...) -- a date with time
group_concat(x, [separator]) -- the texts of all rows joined
hex(x) -- bytes as hexadecimal text
ifnull(x, y) -- y where x is null
iif(condition, x, y) -- x where the condition holds, else y
instr(text, part) -- where the part begins, or 0
json_extract(json, path) -- a part of a document, such as '$.name'
json_each(json) -- a row for each element
julianday(time, [modifier], ...) -- days since noon in Greenwich on November 24, 4714 BC
printf(format, x, ...) -- text with values put in
random() -- a random whole number
strftime(format, time, [modifier], ...) -- a date as text, such as '%Y-%m'
time(time, [modifier], ...) -- the time of the day
total(x) -- the sum as a real number, 0.0 of no rows
typeof(x) -- the type that a value is stored as
unicode(text) -- the code point of the first letter
"""
_DUCKDB = """
any_value(x) -- the first value that is not null
approx_count_distinct(x) -- about how many different values there are
arg_max(x, y) -- x of the row with the largest y
arg_min(x, y) -- x of the row with the smallest y
array_agg(x ORDER BY y) -- the values of all rows as a list
bool_and(x) -- whether all values are true
bool_or(x) -- whether any value is true
columns(pattern) -- every column whose name matches
contains(text, part) -- whether the part is in the text
count(*) FILTER (WHERE condition) -- how many rows meet the condition
count_if(condition) -- how many rows meet the condition
current_date -- today
date_diff(unit, start, end) -- how many borders of the unit lie between
date_part(unit, date) -- one part of a date, such as 'year'
date_trunc(unit, date) -- cut off to the unit, such as 'month'
day(date) -- the day of the month
dayname(date) -- the name of the day
epoch(time) -- seconds since 1970
first(x) -- the first value
generate_series(start, stop, [step]) -- a list of numbers or times
hash(x, ...) -- a number that stands for the values
if(condition, x, y) -- x where the condition holds, else y
ifnull(x, y) -- y where x is null
json_extract_string(json, path) -- a part of a document as text
last_day(date) -- the last day of the month
list(x ORDER BY y) -- the values of all rows as a list
list_contains(list, x) -- whether the value is in the list
list_filter(list, lambda) -- the elements that meet a condition
list_transform(list, lambda) -- each element changed
make_date(year, month, day) -- a date
median(x) -- the value in the middle
mode(x) -- the value that occurs most
month(date) -- the month
monthname(date) -- the name of the month
quantile_cont(x, fraction) -- a percentile between values
quarter(date) -- the quarter
random() -- a random number between 0 and 1
regexp_extract(text, pattern, [group]) -- the part that matches
regexp_matches(text, pattern) -- whether a part matches
regexp_replace(text, pattern, to, [flags]) -- with the first match replaced; 'g' for each
split_part(text, separator, n) -- the n-th part
starts_with(text, start) -- whether the text begins so
strftime(date, format) -- a date as text, such as '%Y-%m'
string_agg(x, separator ORDER BY y) -- the texts of all rows joined
string_split(text, separator) -- the parts as a list
strptime(text, format) -- a time from a text
struct_pack(name := x, ...) -- a struct
try_cast(x AS type) -- the value as another type, null where that fails
trunc(x) -- cut off to a whole number
unnest(list) -- a row for each element
week(date) -- the week of the year
year(date) -- the year
"""
SIGNATURES = {
    "mysql": _COMMON + _SERVERS + _MYSQL,
    "postgres": _COMMON + _SERVERS + _POSTGRES,
    "sqlite": _COMMON + _SQLITE,
    "duckdb": _COMMON + _SERVERS + _DUCKDB,
}
TYPES = {
    "mysql": "SIGNED UNSIGNED DECIMAL(18,2) CHAR DATE DATETIME TIME DOUBLE FLOAT JSON BINARY",
    "postgres": "integer bigint numeric numeric(18,2) text varchar boolean date timestamp timestamptz time interval "
    "double precision real uuid json jsonb bytea",
    "sqlite": "INTEGER REAL TEXT NUMERIC BLOB",
    "duckdb": "INTEGER BIGINT DOUBLE DECIMAL(18,3) VARCHAR BOOLEAN DATE TIMESTAMP TIMESTAMPTZ TIME INTERVAL UUID JSON "
    "BLOB HUGEINT FLOAT SMALLINT TINYINT",
}
