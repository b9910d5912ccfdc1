"""What the model proposes: a whole text of a pipeline, and what the one analysis says of it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from osiris.core.agent.masks import require_no_masks
from osiris.core.agent.merging import merged
from osiris.core.check import check_text
from osiris.core.compiler_v0 import compile_text
from osiris.core.error_taxonomy import CompilationError, ConfigurationError, ValidationError
from osiris.core.files import is_inside
from osiris.core.llm.messages import writable
from osiris.core.project import Project
from osiris.core.project_scan import OML_ENDINGS, SKIPPED_FOLDERS, is_oml_name
from osiris.core.source import read_source
from osiris.syntax.diagnostic import Diagnostic, Severity
from osiris.syntax.document import parse
from osiris.syntax.text import LineIndex
from osiris.syntax.tree import Mapping as MappingNode
from osiris.syntax.tree import Scalar

_BLOCK = re.compile(r"^```[a-z]*[ \t]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
_FOLDER = "pipelines"


@dataclass(frozen=True, slots=True)
class Proposal:
    """``text`` is to stand in the file ``path`` (relative to the project, with ``/``), where ``before`` stands now
    (None: there is no such file). Lines of both end with ``\\n``, whatever the file has. ``ok``: it has no error, and
    compiles."""

    path: str
    text: str
    before: str | None
    diagnostics: tuple[Diagnostic, ...]
    ok: bool
    summary: str = ""

    def errors(self) -> list[Diagnostic]:
        """What keeps it from being used."""
        return [finding for finding in self.diagnostics if finding.severity is Severity.ERROR]

    def findings(self) -> list[dict[str, Any]]:
        """Errors and warnings with their lines, from 1, as the model and people read them."""
        lines = LineIndex(self.text)
        return [
            {
                "line": lines.line_column(finding.span.start)[0] + 1,
                "severity": finding.severity.name.lower(),
                "code": finding.code,
                "message": finding.message,
            }
            for finding in self.diagnostics
            if finding.severity <= Severity.WARNING
        ]

    def diff(self) -> str:
        """What would change, as a unified diff."""
        before = (self.before or "").splitlines(keepends=True)
        after = self.text.splitlines(keepends=True)
        there = f"a/{self.path}" if self.before is not None else "/dev/null"
        return "".join(difflib.unified_diff(before, after, there, f"b/{self.path}"))

    def data(self) -> dict[str, Any]:
        """The proposal as plain data."""
        return {
            "path": self.path,
            "oml": self.text,
            "before": self.before,
            "ok": self.ok,
            "summary": self.summary,
            "findings": self.findings(),
        }


def propose(project: Project, oml: str, path: str | None, before: str | None = None, summary: str = "") -> Proposal:
    """The proposal of ``oml`` for the file ``path``; None: a file in ``pipelines/`` called after the pipeline.

    ``before`` is the text that stands there now, where the caller knows better than the disk (an unsaved document).
    Comments and layout of what does not change stay as they are. Raises ValidationError for a path that no pipeline
    may have, ConfigurationError when the file cannot be read.
    """
    oml = writable(with_plain_ends(oml))
    target = checked_path(project, path if path is not None else path_for(oml))
    file = project.root / target
    if before is None and file.exists():
        before = read_source(file)
    before = None if before is None else with_plain_ends(before)
    text = merged(before, oml) if before is not None else oml
    if not text.endswith("\n"):
        text += "\n"
    return checked(project, Proposal(target, text, before, (), False, summary))


def checked(project: Project, proposal: Proposal) -> Proposal:
    """The proposal as the project judges it now: the same analysis as in the editor, and the compiler. Raises
    ValidationError for one that holds a mask in place of a secret."""
    require_no_masks(proposal.text, proposal.before)
    file = project.root / proposal.path
    project.invalidate()
    analysis = check_text(proposal.text, project, file)
    ok = analysis.ok
    diagnostics = analysis.diagnostics
    if ok:
        try:
            compile_text(proposal.text, file, project=project)
        except CompilationError as error:
            ok, diagnostics = False, (*diagnostics, *error.diagnostics)
        except ConfigurationError:  # of the project's settings: not the proposal's fault, and said elsewhere
            ok = False
    return Proposal(proposal.path, proposal.text, proposal.before, diagnostics, ok, proposal.summary)


def checked_path(project: Project, path: str) -> str:
    """``path`` as the path of a pipeline of the project. Raises ValidationError.

    It lies in the project, also after links are followed; it is called as pipelines are, or is one of the project's by
    what stands in it; none of its folders is hidden or left out when the project is searched.
    """
    given = writable(path).replace("\\", "/")
    full = project.root / given
    parts = Path(given).parts
    if not given or "\0" in given or Path(given).is_absolute() or ".." in parts or not is_inside(full, project.root):
        raise ValidationError(f"The path {path} does not lie in the project.", hint="Give a path relative to its root.")
    if any(part.startswith(".") for part in parts) or not SKIPPED_FOLDERS.isdisjoint(parts[:-1]):
        raise ValidationError(f"Pipelines have no place in {path}.", hint=f"Put it below {_FOLDER}/.")
    if not given.isprintable() or not (is_oml_name(given) or project.root / given in project.listed()):
        raise ValidationError(f"{path} is no name of a pipeline.", hint=f"It ends with {', '.join(OML_ENDINGS)}.")
    return PurePosixPath(given).as_posix()


def with_plain_ends(text: str) -> str:
    """``text`` with lines that end with ``\\n``."""
    return text.replace("\r\n", "\n")


def with_ends_of(there: str, text: str) -> str:
    """``text``, which has plain ends of lines, with those of ``there``."""
    return text.replace("\n", "\r\n") if 2 * there.count("\r\n") > there.count("\n") else text


def with_step(text: str, step: str, oml: str) -> str:
    """``text`` with the step of that id replaced by ``oml`` (a mapping, with or without its dash); added at the end
    when there is none. Raises ValidationError when the text has no list of steps."""
    document = parse(text)
    body = _undashed(oml)
    for placed in document.steps:
        node = placed.part.node
        if isinstance(node, MappingNode) and _id_of(node) == step:
            start = placed.base + node.span.start
            end = placed.base + node.span.end
            column = start - (text.rfind("\n", 0, start) + 1)
            return text[:start] + _indented(body, " " * column).lstrip(" ") + text[end:]
    if not document.steps:
        raise ValidationError("The pipeline has no list of steps.", hint="Propose the whole pipeline.")
    last = document.steps[-1]
    dash = text.rfind("-", 0, last.base + last.part.node.span.start)
    column = dash - (text.rfind("\n", 0, dash) + 1)
    end = last.base + last.part.node.span.end
    added = _indented(body, " " * (column + 2)).lstrip(" ")
    return f"{text[:end].rstrip()}\n{' ' * column}- {added.rstrip()}\n{text[end:].lstrip(chr(10))}"


def step_ids(text: str) -> list[str]:
    """The ids of the steps of a pipeline, in its order."""
    nodes = [placed.part.node for placed in parse(text).steps]
    return [found for node in nodes if isinstance(node, MappingNode) and (found := _id_of(node)) is not None]


def blocks_of_oml(text: str) -> Iterator[str]:
    """The pipelines that stand in fenced blocks of an answer, for models that write instead of calling a tool."""
    for match in _BLOCK.finditer(text.replace("\r\n", "\n")):
        if re.search(r"^oml_version\s*:", match.group(1), re.MULTILINE):
            yield match.group(1)


def path_for(oml: str) -> str:
    """Where a new pipeline stands: in ``pipelines/``, by its name."""
    root = parse(oml).root()
    name = root.get("name") if isinstance(root, MappingNode) else None
    safe = re.sub(r"[^0-9A-Za-z_-]+", "-", name.text if isinstance(name, Scalar) else "").strip("-") or "pipeline"
    return f"{_FOLDER}/{safe}.oml.yaml"


def _id_of(node: MappingNode) -> str | None:
    found = node.get("id")
    return found.text if isinstance(found, Scalar) else None


def _undashed(oml: str) -> str:
    """The lines of one step from column 0, without the dash of a list."""
    lines = [line.rstrip() for line in oml.replace("\r\n", "\n").strip("\n").split("\n")]
    first = re.match(r"(\s*)-\s+", lines[0])
    if first:
        lines[0] = " " * len(first.group(0)) + lines[0][len(first.group(0)) :]
    widths = [len(line) - len(line.lstrip(" ")) for line in lines if line.strip()]
    cut = min(widths, default=0)
    return "\n".join(line[cut:] for line in lines)


def _indented(text: str, indent: str) -> str:
    return "\n".join(f"{indent}{line}" if line.strip() else "" for line in text.split("\n"))
