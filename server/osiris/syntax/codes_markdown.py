"""Writes ``docs/diagnostics.md`` from the table of codes.

Run ``python -m osiris.syntax.codes_markdown > docs/diagnostics.md`` after every change of the table.
"""

from __future__ import annotations

import sys

from osiris.syntax.codes import CODES, Code
from osiris.syntax.diagnostic import Severity

_FAMILIES = {
    "0": "Syntax",
    "1": "Structure",
    "2": "Component config",
    "3": "References",
    "4": "SQL and schema",
    "5": "Secrets and safety",
    "6": "Compile and run",
}
_HEAD = """\
# Diagnostics

Everything that Osiris reports about a pipeline, in the editor, in `osiris validate`, in `osiris compile` and everywhere
else. Each finding has a place in the source, a code, a severity and, where a machine can mend it, a fix.

Codes marked *configurable* can be changed in `osiris.yaml` (`diagnostics: {severity: {OML111: off}}`;
`error`, `warning`, `information`, `hint` or `off`) and suppressed by a comment on the line, or alone on the line above:

```yaml
    description: q7Rk2vT9xLw4Zp8Ns3Yd6Hb1 # osiris: ignore[OML504]
```

Above or on the line where a block of text starts (`query: |`) the comment holds for the whole block; inside SQL it is
written `-- osiris: ignore[OML405]`. The other errors stay errors: what they find would not compile or run.

This page is generated from the table of codes; change it there.
"""


def diagnostics_markdown() -> str:
    """The text of ``docs/diagnostics.md``."""
    parts = [_HEAD, "| code | severity | what |\n|---|---|---|\n"]
    parts += [f"| [{c.code}](#{c.code.lower()}) | {_severity(c)} | {c.title} |\n" for c in CODES.values()]
    family = ""
    for code in CODES.values():
        if code.code[3] != family:
            family = code.code[3]
            parts.append(f"\n## {family}xx {_FAMILIES[family]}\n")
        parts.append(_section(code))
    return "".join(parts)


def _severity(code: Code) -> str:
    name = {Severity.INFORMATION: "information"}.get(code.severity, code.severity.name.lower())
    return f"{name}, configurable" if code.configurable else name


def _section(code: Code) -> str:
    head = f'\n<a id="{code.code.lower()}"></a>\n### {code.code}: {code.title}\n'
    text = f"{head}\n{_severity(code).capitalize()}. {code.explanation}\n"
    example = code.example
    if not example:
        return text
    shown = "".join(c if c.isprintable() or c == "\n" else f"<U+{ord(c):04X}>" for c in example.replace("\t", "<tab>"))
    return f"{text}\n```yaml\n{shown.rstrip()}\n```\n"


if __name__ == "__main__":
    sys.stdout.write(diagnostics_markdown())
