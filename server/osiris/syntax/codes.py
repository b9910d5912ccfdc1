"""The one table of diagnostic codes, of every layer. ``docs/diagnostics.md`` is generated from it.

0xx syntax, 1xx structure, 2xx component config, 3xx references, 4xx SQL and schema, 5xx secrets and safety,
6xx compile and run. A code, once published, keeps its meaning for good.
"""

from __future__ import annotations

from dataclasses import dataclass

from osiris.syntax.diagnostic import Severity

DOCUMENTATION = "docs/diagnostics.md"


@dataclass(frozen=True, slots=True)
class Code:
    """What a code stands for. ``configurable``: its severity may be changed in ``osiris.yaml`` and it may be
    suppressed by a comment."""

    code: str
    title: str
    severity: Severity
    explanation: str
    configurable: bool

    @property
    def example(self) -> str:
        """A small document that shows the finding; empty for codes of 6xx, which need a run."""
        from osiris.syntax.code_examples import EXAMPLES

        return EXAMPLES.get(self.code, "")

    @property
    def anchor(self) -> str:
        """Where the code is explained, relative to the project's documentation."""
        return f"{DOCUMENTATION}#{self.code.lower()}"


# Errors outside 4xx that a project may still tune: they judge by the shape of a value, not by knowledge.
_BY_SHAPE = frozenset({"OML503", "OML504"})
# Errors of 4xx that no knowledge of tables can overturn: such SQL has no meaning, or would never be let through. And
# there are no comments in osiris.schema.json.
_FIRM = frozenset({"OML401", "OML402", "OML403", "OML404", "OML407", "OML408", "OML409", "OML420"})


def _code(code: str, severity: Severity, title: str, explanation: str) -> Code:
    judged = code.startswith("OML4") and code not in _FIRM
    configurable = severity != Severity.ERROR or judged or code in _BY_SHAPE
    return Code(code, title, severity, explanation, configurable)


_E, _W, _H = Severity.ERROR, Severity.WARNING, Severity.HINT

_TABLE: tuple[Code, ...] = (
    # 0xx: the text is not YAML as OML reads it.
    _code("OML001", _E, "YAML syntax error", "The text here cannot be read as YAML. Other steps are still checked."),
    _code("OML002", _E, "Tab used as indentation", "YAML allows spaces only in front of a key or a dash."),
    _code("OML003", _E, "Unclosed quote or bracket", "A quote, `[` or `{` is opened here and never closed."),
    _code("OML004", _E, "Key without colon", "A key is followed by a colon and a value: `mode: read`."),
    _code("OML005", _E, "Wrong indentation", "Keys of one map stand in one column."),
    _code("OML006", _E, "Duplicate key", "A map may say each key once; nothing tells which of the two counts."),
    _code("OML007", _E, "Unknown alias", "`*name` repeats a value marked `&name` further up; no such mark is there."),
    _code("OML008", _E, "Aliases expand to too much", "The aliases of this file would expand beyond the limit."),
    _code("OML009", _E, "Nesting too deep", "Maps and lists are nested beyond the limit."),
    _code("OML010", _E, "File too large", "The file is larger than Osiris reads."),
    _code("OML011", _E, "Character not allowed", "YAML does not allow this control character; write it as an escape."),
    _code("OML012", _E, "Several documents in one file", "One file is one pipeline; remove the `---` line in between."),
    _code("OML013", _E, "Key is not text", "A key must be plain text, not a list or a map."),
    _code("OML014", _E, "Not a text file", "The file is not UTF-8 (or UTF-16 with a byte order mark)."),
    _code("OML015", _E, "Step without a dash", "Each step of the list starts with a dash: `- id: extract-orders`."),
    # 1xx: the shape of the document.
    _code("OML101", _E, "Empty document", "A pipeline needs at least `oml_version`, `name` and `steps`."),
    _code("OML102", _E, "Document is not a map", "The top level of a pipeline is a map of keys, not a list or text."),
    _code("OML103", _E, "Required key missing", "`oml_version`, `name` and `steps` are required at the top level."),
    _code("OML104", _E, "Wrong type", "The value has another type than OML wants at this place."),
    _code("OML105", _E, "Unsupported OML version", "This release reads OML 0.1.x."),
    _code("OML106", _W, "Other OML 0.1 version", "Only 0.1.0 is known; the file is read as if it were 0.1.0."),
    _code("OML107", _W, "Unknown key", "The key means nothing here and is ignored. Own keys start with `x-`."),
    _code("OML108", _E, "Misspelt key", "The key is unknown, and close to one that is known."),
    _code("OML109", _E, "Legacy key", "The key belongs to an older format. The fix migrates it."),
    _code(
        "OML110",
        _E,
        "Name not usable as a folder",
        "The name of a pipeline names its folder in `build/`, and so does that of a profile.",
    ),
    _code("OML111", _H, "Name is not kebab-case", "Names like `daily-orders` read the same in paths, URLs and logs."),
    _code("OML112", _W, "Name used twice", "Two pipelines of one name compile into the same folder `build/<name>/`."),
    _code("OML113", _E, "No steps", "A pipeline has at least one step."),
    _code("OML120", _E, "Step is not a map", "A step is a map with `id`, `component` and `mode`."),
    _code("OML121", _E, "Required step key missing", "Every step has `id`, `component` and `mode`."),
    _code(
        "OML122", _E, "Step id not allowed", "An id names files: letters, digits, `_`, `-` and `.`, no reserved name."
    ),
    _code("OML123", _E, "Duplicate step id", "Ids are unique, also when upper and lower case are not told apart."),
    _code("OML124", _E, "Unknown component", "No installed component has this name."),
    _code("OML125", _E, "Unknown mode", "A step reads, transforms or writes: `read`, `transform`, `write`."),
    _code("OML126", _E, "Mode does not fit the component", "The component does not work in this mode."),
    _code("OML127", _E, "Retry not understood", "`retry` is a number of attempts or `{attempts, delay, max_delay}`."),
    _code("OML128", _E, "Timeout not understood", "`timeout` is seconds, or a text such as `30s`, `5m`, `2h`."),
    _code("OML129", _H, "Component without a driver", "A step of it is checked and compiled, but a run refuses it."),
    _code("OML140", _E, "Parameter declaration not understood", "A parameter is a value or `{type, default, ...}`."),
    _code("OML141", _E, "Parameter name not usable", "A parameter can be given as `OSIRIS_PARAM_<NAME>`."),
    _code("OML142", _E, "Value does not fit the parameter", "A default or a profile's value breaks the declaration."),
    _code("OML143", _E, "Profile sets an unknown parameter", "A profile gives values to declared parameters only."),
    _code("OML144", _H, "Unused parameter", "Nothing in the steps refers to the parameter."),
    _code("OML145", _E, "Unknown profile", "The chosen profile is not declared under `profiles`."),
    _code("OML146", _E, "Unknown parameter given", "A value was given for a parameter that is not declared."),
    _code("OML190", _H, "Unused suppression", "The comment suppresses nothing and can go."),
    _code(
        "OML191", _W, "Suppression without effect", "The code does not exist, or is an error that cannot be ignored."
    ),
    # 2xx: a step's config against the schema of its component.
    _code("OML201", _E, "Required config key missing", "The component cannot work without this key."),
    _code("OML202", _E, "Unknown config key", "The component does not know this key."),
    _code("OML203", _E, "Wrong type in config", "The value has another type than the component wants."),
    _code("OML204", _E, "Value not among the choices", "The component allows a fixed set of values here."),
    _code("OML205", _E, "Value out of range", "The number, length or count is outside what the component allows."),
    _code("OML206", _E, "Value has the wrong form", "The text does not match the form that the component wants."),
    _code("OML207", _E, "Config keys contradict", "The component wants certain keys together, or not together."),
    _code("OML208", _W, "Boolean not written true or false", "`yes`, `no`, `on` and `off` are text in YAML 1.2."),
    _code("OML209", _H, "Deprecated config key", "The key still works; the component prefers another."),
    _code("OML210", _E, "Connection field must not be overridden", "The field belongs to the connection alone."),
    _code("OML211", _W, "Connection field overridden", "The step replaces a field of its connection."),
    _code("OML212", _E, "Not a finite number", "NaN and infinity cannot be written into a manifest."),
    _code("OML213", _E, "Value not allowed in config", "The value breaks another rule of the component's schema."),
    # 3xx: names that refer to something.
    _code("OML301", _E, "Unknown step in needs", "`needs` lists ids of steps of this file."),
    _code("OML302", _E, "Step needs itself", "A step cannot wait for itself."),
    _code("OML303", _E, "Steps wait for each other", "The steps form a circle; none of them could start."),
    _code("OML304", _W, "Step needed twice", "The id stands in `needs` more than once."),
    _code("OML305", _E, "Input not understood", "An input is written `${step-id.df}`."),
    _code("OML306", _E, "Unknown step in inputs", "`inputs` refers to steps of this file."),
    _code("OML307", _E, "Input from a step without data", "Only steps that read or transform hand on data."),
    _code("OML308", _E, "Step receives no data", "A transform or a writer needs a step before it that yields data."),
    _code("OML309", _E, "Writer with several inputs", "A writer writes one table; `inputs` says which."),
    _code("OML310", _E, "Step tables collide", "Two inputs would have the same table name in this step."),
    _code("OML311", _E, "Unknown parameter", "`${params.x}` refers to a parameter declared under `params`."),
    _code("OML312", _E, "Environment variable outside connections", "`${VAR}` works in osiris_connections.yaml only."),
    _code("OML313", _E, "Reference not understood", "In a step, `${params.x}` is the one form of reference."),
    _code("OML314", _W, "Inputs without effect", "A step that reads from outside takes no inputs."),
    _code("OML315", _E, "Parameter cannot stand in a text", "A list or map cannot be part of a longer text."),
    _code(
        "OML316",
        _E,
        "Parameter not allowed here",
        "`id` and `inputs` take no parameters, nor do keys. Those in the other keys of a step beside `config` are not "
        "sensitive and have a value when the pipeline is compiled.",
    ),
    _code("OML317", _E, "Parameter without its closing brace", "`${params.x` without `}` would silently stay text."),
    _code(
        "OML318",
        _W,
        "Parameter in double braces",
        "`{{ params.x }}` is of template languages. In OML it stays text; a parameter is written `${params.x}`.",
    ),
    _code("OML320", _E, "Connection reference not understood", "A connection is referred to as `@family.alias`."),
    _code("OML321", _E, "Unknown connection", "osiris_connections.yaml has no such family or alias."),
    _code("OML322", _E, "Connection of another family", "The connection does not belong to the component's family."),
    _code("OML323", _E, "No default connection", "The step names no connection, and the file marks none as default."),
    _code("OML324", _W, "No connections file", "The pipeline refers to connections; a run needs the file."),
    _code("OML325", _E, "Connections file not understood", "The file is `connections: {family: {alias: {...}}}`."),
    _code("OML326", _E, "Several default connections", "At most one alias of a family is marked `default: true`."),
    _code("OML327", _E, "Variable not understood", "A variable is written `${VAR}` or `${VAR:-default}`."),
    _code("OML328", _W, "Unknown family of connections", "No installed component takes connections of this family."),
    _code("OML329", _W, "Unknown connection field", "No component of the family knows the field; it is ignored."),
    _code("OML330", _W, "Input file missing", "The file that the step reads is not there yet; a run needs it."),
    _code("OML331", _E, "Misspelt connection field", "The field is unknown, and close to one that is known."),
    _code("OML332", _E, "Wrong type of a connection field", "The value has another type than the components want."),
    _code("OML333", _W, "Source written over", "The pipeline writes the file that it reads; the source is lost."),
    _code("OML334", _W, "File written twice", "Two steps write the same file; one replaces the other."),
    _code("OML335", _W, "Connection lacks a field", "Steps need the field, and only the connection can give it."),
    _code("OML336", _H, "Variable not set", "The connection asks for a variable that is set nowhere on this machine."),
    _code("OML337", _W, "Line of .env not understood", "A line of `.env` is `NAME=value`, a comment, or empty."),
    _code("OML338", _W, "Variable set twice in .env", "Of two lines with one name the last counts."),
    _code("OML339", _H, "Variable of no parameter", "`OSIRIS_PARAM_<NAME>` is a parameter's value; there is none."),
    # 4xx: SQL.
    _code("OML401", _E, "Empty query", "The query holds no statement."),
    _code("OML402", _E, "Several statements", "A query is one statement."),
    _code("OML403", _E, "Statement returns no rows", "A query returns rows: SELECT, WITH, FROM, VALUES, PIVOT ..."),
    _code("OML404", _E, "SQL reaches outside", "SQL sees the tables of the steps before it and nothing else."),
    _code("OML405", _E, "Unknown table", "The tables of a query are `df_<step>` of the steps that it needs."),
    _code("OML406", _E, "Ambiguous df", "`df` and `input_df` exist when exactly one step hands data to this one."),
    _code("OML407", _E, "Text parameter without quotes", "Outside quotes a text would become SQL."),
    _code("OML408", _E, "Unclosed quote or comment in SQL", "A quote or comment is opened here and never closed."),
    _code("OML409", _E, "Parameter cannot stand in SQL here", "The value has no safe form at this place of the SQL."),
    _code(
        "OML410",
        _E,
        "Unknown table of a database",
        "The table (or schema), in `table:` or in FROM and JOIN of a query, is not in the database behind the "
        "connection. That is an error when the last reading of "
        "the database is complete and young enough; else it is a hint that says how old the reading is. "
        "`osiris discover` reads it anew. A table that a step of the pipeline writes need not be there, and one that "
        "another pipeline of the project writes is a hint.",
    ),
    _code(
        "OML411",
        _E,
        "Unknown column",
        "The table has no such column. That is an error when the last reading of the database is complete and young "
        "enough, or when `osiris.schema.json` says so; else it is a hint that says how old the reading is. In SQL for "
        "a database it is said of `alias.column`, and of a name without an alias where the query reads a single "
        "table; a name that may mean anything else is left alone. In SQL over the data of other steps every name is "
        "looked up as DuckDB does it, where the columns of that data are known: from the table, from the query or the "
        "file that a step reads, and from the SQL of the steps between. So are the columns of that data that a "
        "config names, such as `primary_key` of a writer. What another pipeline of the project writes gives a hint.",
    ),
    _code(
        "OML412",
        _H,
        "Table not in osiris.schema.json",
        "`osiris.schema.json` lets everybody check the same; it knows other tables of this connection, but not this "
        "one. `osiris discover --lock` adds it.",
    ),
    _code(
        "OML413",
        _H,
        "Table has changed since osiris.schema.json",
        "The database has the table in another form than `osiris.schema.json`, which is what counts. "
        "`osiris discover --lock` writes down how it is now.",
    ),
    _code(
        "OML420",
        _E,
        "osiris.schema.json cannot be used",
        "The file is written by `osiris discover --lock`; what is wrong in it is not used to check anything.",
    ),
    # 5xx: secrets and safety.
    _code(
        "OML501", _E, "Secret in the pipeline", "The component marks this key as secret; its value must not be here."
    ),
    _code("OML502", _E, "Password in a connection string", "The address holds a password in plain text."),
    _code("OML503", _E, "Text has the form of a secret", "The text looks like a key or token of a known service."),
    _code("OML504", _H, "Text may be a secret", "The text is long and random, as passwords and keys are."),
    _code(
        "OML505",
        _E,
        "Path outside the project",
        "A pipeline reads and writes inside its project, and in the folders that osiris.yaml allows.",
    ),
    _code("OML506", _W, "Secret in the connections file", "Keep the value in the environment or `.env`."),
    _code(
        "OML507", _E, "Sensitive parameter with a value", "A sensitive parameter gets its value from the environment."
    ),
    _code("OML508", _E, "Secret from a parameter that is not sensitive", "The value would stand in the manifest."),
    _code("OML509", _E, "Project's own file written", "Settings, connections, `.env` and `.git` are no step's target."),
    # 6xx: compile and run.
    _code("OML601", _E, "Manifest not written", "The compiled manifest could not be written."),
    _code("OML602", _E, "Parameter without value", "The parameter has no default, and no value was given."),
    _code("OML603", _E, "Variable of a connection not set", "The connection uses a variable that is not set."),
    _code("OML604", _E, "Connection not available", "The run cannot find or open the connection."),
    _code("OML605", _E, "Configuration not usable", "A file, setting or argument is missing or wrong."),
    _code("OML606", _E, "Not in the expected form", "Data or a document does not have the shape it must have."),
    _code("OML610", _E, "Run failed", "At least one step failed."),
    _code("OML611", _E, "Step failed", "The step ended with an error."),
    _code("OML612", _E, "Driver not available", "This release can check the component but not run it yet."),
    _code("OML613", _E, "Package missing", "The step needs a package that is not installed."),
    _code("OML614", _E, "Input file missing at run", "The file that the step reads is not there."),
    _code("OML615", _E, "SQL not accepted by the engine", "DuckDB refuses the query."),
    _code("OML616", _E, "Step took too long", "The step did not end within its `timeout`."),
    _code("OML617", _W, "Run cancelled", "The run was stopped on request."),
    _code("OML618", _E, "Run interrupted", "The run's process ended without a result."),
    _code("OML620", _E, "Model not available", "The AI model cannot be reached, or its answer cannot be used."),
    _code("OML621", _E, "No model set up", "Nothing says which AI model to use."),
    _code("OML622", _E, "AI forbidden here", "The project's `osiris.yaml` does not allow what was asked of AI."),
    _code("OML623", _W, "Model stopped", "The answer of the AI model was stopped on request."),
    _code("OML630", _E, "Target not set up", "A key, a package or a setting is missing to run on another machine."),
    _code("OML631", _E, "Not reachable from there", "The pipeline needs what only this machine can reach."),
    _code("OML632", _E, "Key refused", "The service that gives machines does not accept the key."),
    _code("OML633", _E, "No machine free", "The service gives no machine now: a quota or another limit is reached."),
    _code("OML634", _E, "Machine not usable", "The other machine could not be made ready for the run."),
    _code("OML635", _E, "Machine gone", "The machine that carried out the run was ended, or its time was up."),
    _code("OML636", _E, "Connection lost", "The machine that carries out the run does not answer any more."),
    _code("OML637", _E, "File not brought", "A file did not come whole to the other machine, or back from it."),
)

CODES: dict[str, Code] = {code.code: code for code in _TABLE}
"""Every code by its name, in ascending order."""
