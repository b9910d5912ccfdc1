"""What DuckDB says when data does not fit, in words for somebody who wrote a pipeline."""

from __future__ import annotations

import re

from osiris.sql.gate import engine_message

_CSV = re.compile(r"CSV Error on Line: (?P<line>\d+)")
_CONVERT = re.compile(
    r"""Error when converting column "(?P<column>.*?)"\. (?P<what>Could not convert .*?)$""", re.MULTILINE
)
_DETECTED = "This type was auto-detected"
_NO_SPACE = re.compile(
    # The last is DuckDB's own limit for what it spills: nine tenths of what is free when the run begins.
    r"No space left|File too large|Disk quota|disk is full|Could not write all bytes|'max_temp_directory_size' setting",
    re.IGNORECASE,
)
_NO_SPACE_TO_SPILL = re.compile(r"max_temp_directory_size|duckdb_temp_")
_COUNT = re.compile(r"Expected Number of Columns: (?P<wanted>\d+) Found: (?P<found>\d+)")
_TOO_LONG = re.compile(r"Maximum line size of (?P<most>\d+) bytes exceeded")
_JSON = re.compile(
    r'JSON transform error in file ".*?", in (?P<unit>line|record/value) (?P<number>\d+): (?P<what>.*?)(\s*Try |$)',
    re.DOTALL,
)
_ONE_OF_MANY = re.compile(r"-files/\d{6}/(?:[^/\n]*=[^/\n]*/)*(?P<name>[^/\n\"]+)")  # see drivers.filesystem.sources
_CELL = re.compile(r'"([^"]{100})[^"]{10,}"')
_NUMBER_OF_LINES = 3
_MOST = 1000  # characters of a text that nobody foresaw: DuckDB may put whole lines of a file into it


def explain_engine_error(error: BaseException) -> tuple[str, str | None]:
    """A sentence that says what went wrong, and what to do about it (None where there is nothing to say)."""
    text = engine_message(error)
    one = _ONE_OF_MANY.search(text)
    of_file = f" of {one['name'].strip()}" if one else ""
    if is_disk_full(error) and _NO_SPACE_TO_SPILL.search(text):
        return (
            "The disk of the logs folder is full: data that does not fit into memory could not be put there.",
            "Free some space there, choose another folder (--logs-dir), or raise runs.memory_limit in osiris.yaml.",
        )
    if is_disk_full(error):
        return "The disk is full: not everything could be written.", "Free some space, then run again."
    if type(error).__name__ == "OutOfMemoryException":
        return (
            "The run needs more memory than it may use.",
            "Raise runs.memory_limit in osiris.yaml, or make the step smaller (fewer columns, a filter first).",
        )
    csv = _CSV.search(text)
    convert = _CONVERT.search(text)
    if csv and convert:
        what = _CELL.sub(r'"\1..."', convert["what"].rstrip("."))
        message = f"Line {csv['line']}{of_file} does not fit: {what} in column {convert['column']}."
        column = convert["column"]
        if _DETECTED in text:
            return message, f"The type was detected from the first rows; set it: dtype: {{{column}: string}}."
        return message, f"Change the type of {column} in dtype, or name the text in na_values."
    json_value = _JSON.search(text)
    if json_value:
        unit = "Line" if json_value["unit"] == "line" else "Object"
        what = _CELL.sub(r'"\1..."', json_value["what"].strip().rstrip("."))
        return (
            f"{unit} {json_value['number']}{of_file} does not fit: {what}.",
            "Check it in the file, or set its type in dtype.",
        )
    count = _COUNT.search(text)
    if csv and count:
        return (
            f"Line {csv['line']}{of_file} has {count['found']} fields, but there are {count['wanted']} columns.",
            "Check the delimiter and the quotes of that line.",
        )
    too_long = _TOO_LONG.search(text)
    if too_long:
        return (  # DuckDB's number of the line is that of the part it looked at
            f"A line is longer than {int(too_long['most']):,} bytes.",
            "Check the quotes and the line ends of the file: a quote that is not closed makes many lines one.",
        )
    if "Input is not a GZIP stream" in text or "zstd" in text.partition("\n")[0].lower():
        return "The file is not a whole compressed file.", "Check the file, and the option compression."
    if "No magic bytes" in text or "too small to be a Parquet file" in text:
        return "The file is not a Parquet file, or not a whole one.", None
    if "Invalid unicode" in text:
        where = f"Line {csv['line']}{of_file}" if csv else "The file"
        return f"{where} is not UTF-8.", "Set the option encoding to what the file was saved with."
    if is_irregular(error):
        return (
            "The file is no regular table: its rows differ in their number of fields, or a quote is not closed.",
            "Check delimiter, skip_rows, comment, and the quotes and line ends in the file.",
        )
    told = " ".join(text.split("\n")[:_NUMBER_OF_LINES]).strip()
    return told if len(told) <= _MOST else f"{told[:_MOST]}...", None


def is_irregular(error: BaseException) -> bool:
    """Whether DuckDB cannot make out the rows of a CSV file."""
    text = str(error)
    return "detect the CSV parsing" in text or "CSV Parser state machine" in text


def is_disk_full(error: BaseException) -> bool:
    """Whether a write failed for want of space."""
    return _NO_SPACE.search(str(error)) is not None


def is_about_data(error: BaseException) -> bool:
    """Whether an error lies in what was computed, so that computing step by step can name the step."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return "Error" in names and not is_disk_full(error) and not names & {"OutOfMemoryException", "InterruptException"}
