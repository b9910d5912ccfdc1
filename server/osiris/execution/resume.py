"""Going on where a run stopped: what need not be done again, what can be used again, and what nobody can know."""

from __future__ import annotations

import contextlib
import enum
import json
import os
import shutil
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.files import atomic_write, cause, write_error
from osiris.core.manifest import MANIFEST_NAME, read_manifest
from osiris.drivers.journal import KEPT_DAYS
from osiris.execution.folder import read_events, steps_by_events
from osiris.execution.left_data import left_by
from osiris.execution.runs import RunInfo
from osiris.execution.summed_files import is_sound
from osiris.execution.ulid import is_run_id, seconds_of

CLAIM_FILE = "resumed"  # in the folder of a run: which one goes on with it
_MARGIN_DAYS = 1  # the clocks of two machines may differ
_MODE_KEYS = ("write_mode", "mode")
RESUME_FILE = "resume.json"  # in the folder of that one: what was done already


@dataclass(frozen=True)
class Resume:
    """How a run goes on where the run ``of`` stopped.

    ``done``: steps that are not carried out again; ``left``: of those the ones whose rows are read from a file, since
    a step that is still to be done takes them. ``origin``: where it all began, when ``of`` is a resumed run itself.
    ``in_doubt``: steps to be done unless their target's journal says that the run named here has done them.
    """

    of: str
    done: frozenset[str] = frozenset()
    left: Mapping[str, Path] = field(default_factory=dict)
    origin: str = ""
    in_doubt: Mapping[str, str] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """As JSON data."""
        left = {name: str(path) for name, path in self.left.items()}
        doubts = {"origin": self.origin, "in_doubt": dict(self.in_doubt)}
        return {"of": self.of, "done": sorted(self.done), "left": left, **doubts}

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> Resume:
        """From JSON data."""
        left = {name: Path(path) for name, path in data["left"].items()}
        origin, doubts = str(data.get("origin") or ""), dict(data.get("in_doubt") or {})
        return cls(str(data["of"]), frozenset(data["done"]), left, origin, doubts)


class OutcomeUnknown(ConfigurationError):  # noqa: N818 - a question
    """Steps were writing when the run stopped, and nobody knows whether their rows arrived. ``steps``: which."""

    def __init__(self, run: str, steps: Iterable[str]) -> None:
        self.steps = tuple(steps)
        names = " and ".join(self.steps)
        many = len(self.steps) > 1
        super().__init__(
            f"The step{'s' if many else ''} {names} {'were' if many else 'was'} under way when {run} stopped, and may "
            "or may not have written the rows; to write them again could double them.",
            hint=f"Look at the target, then say --done {self.steps[0]} (the rows are there) or --redo {self.steps[0]} "
            "(they are not).",
        )


def plan_resume(
    info: RunInfo, root: Path, *, redo: Collection[str] = (), done: Collection[str] = ()
) -> tuple[dict[str, Any], Resume]:
    """The manifest of a run that stopped, and how a new run goes on with it.

    Steps that succeeded are not carried out again, except those whose rows a later step needs and that left none.
    ``redo`` and ``done`` are the user's answers about steps whose outcome nobody knows. Raises OutcomeUnknown for those
    without an answer, and ConfigurationError when there is nothing to resume or the manifest is gone.
    """
    _require_stopped(info)
    if info.status.get("target") not in (None, "local"):
        from osiris.execution.remote.attach import end_left_machine

        end_left_machine(info)
    manifest: dict[str, Any] = dict(read_manifest(info.path / MANIFEST_NAME))
    steps = {str(step["id"]): step for step in manifest["steps"]}
    for name in (*redo, *done):
        if name not in steps:
            raise ConfigurationError(
                f"There is no step {name} in {info.id}.", hint=f"Its steps are: {', '.join(steps)}."
            )
    events = list(read_events(info.path))
    states = {str(step["id"]): step["state"] for step in _states(info, events, manifest)}
    earlier, files = _inherited(info, root)
    succeeded = {name for name, state in states.items() if state == "succeeded"}
    finished = (succeeded | earlier.done | set(done)) - set(redo)
    recorded = info.status.get("steps") or []
    untouched = {str(step.get("id")) for step in recorded if step.get("untouched")}
    doubts = {name: by for name, by in earlier.in_doubt.items() if name not in finished.union(redo)}
    unknown = [name for name, by in doubts.items() if not _still_in_journal(by)]
    for name, step in steps.items():
        if name in finished or name in untouched.union(redo):
            continue
        trace = _trace(step, events)
        if trace is Trace.NOWHERE or (trace is Trace.IN_JOURNAL and not _still_in_journal(info.id)):
            unknown.append(name)
        elif trace is Trace.IN_JOURNAL:
            doubts.setdefault(name, info.id)
    if unknown:
        raise OutcomeUnknown(info.id, dict.fromkeys(unknown))
    plan = _with_needed_rows(info.id, steps, finished, files)
    return manifest, replace(plan, origin=earlier.origin or earlier.of or info.id, in_doubt=doubts)


def _require_stopped(info: RunInfo) -> None:
    """Raise ConfigurationError for a run that goes on, has succeeded, or was resumed already."""
    if info.active:
        raise ConfigurationError(
            f"{info.id} is {info.state}: it can be resumed when it has stopped.",
            hint=f"Follow it: osiris runs follow {info.id}",
        )
    if info.elsewhere:
        raise ConfigurationError(
            f"{info.id} may still be at work on another machine: what it does there is not known here.",
            hint=f"Take it up again, osiris runs attach {info.id}, or end it, osiris runs cancel {info.id}.",
        )
    if info.state == "succeeded":
        raise ConfigurationError(f"{info.id} succeeded: there is nothing to resume.")
    if (info.path / CLAIM_FILE).exists():
        raise already_resumed(info.id, info.path / CLAIM_FILE)


def claim(logs_dir: Path, of: str, by: str) -> None:
    """Note in the folder of a run which run goes on with it. A run is resumed once: what it left undone is done then.

    Raises ConfigurationError when another run has done so already.
    """
    note = logs_dir / of / CLAIM_FILE
    draft = note.with_name(f"{CLAIM_FILE}.{by}.part")
    try:
        atomic_write(draft, by.encode(), private=True)
        try:
            os.link(draft, note)  # with the id in it from the first moment, and for the first one only
        except FileExistsError:
            raise
        except OSError:  # a file system without links
            with note.open("x") as file:
                file.write(by)
    except FileExistsError:
        raise already_resumed(of, note) from None
    except OSError as error:
        raise write_error(note, error) from cause(error)
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()


def remove_remains(resume: Resume, run_dir: Path, paths: Iterable[str]) -> None:
    """Remove what the runs that are gone on with have left behind, where nobody was left to do it.

    ``run_dir``: the folder of the run that goes on; ``paths``: where it may write, halves of files among them.
    """
    from osiris.execution.preparation import SPILL

    for name in {resume.of, resume.origin, *runs_before(run_dir)} - {""}:
        shutil.rmtree(run_dir.with_name(name) / SPILL, ignore_errors=True)
        for path in paths:
            if path.endswith(f".{run_dir.name}.part"):
                part = f"{path.removesuffix(f'{run_dir.name}.part')}{name}.part"
                for leftover in (part, f"{part}-journal", f"{part}.wal"):
                    with contextlib.suppress(OSError):
                        os.unlink(leftover)


def runs_before(run_dir: Path) -> list[str]:
    """The runs that led to the one in this folder, each resumed by the next one; the latest first."""
    found: list[str] = []
    while (of := _resumed_by(run_dir.with_name(found[-1]) if found else run_dir)) and of not in found:
        found.append(of)
    return found


def _resumed_by(run_dir: Path) -> str | None:
    try:
        of = str(json.loads((run_dir / RESUME_FILE).read_bytes())["of"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return of if is_run_id(of) else None


def already_resumed(of: str, note: Path) -> ConfigurationError:
    """The error that says which run went on with this one."""
    try:
        by = note.read_text().strip()
    except OSError:
        by = ""
    return ConfigurationError(
        f"{of} was resumed already{f', by {by}' if by else ''}: what it had not done is the business of that run.",
        hint=f"Resume that one if it stopped, too: osiris run --resume {by or 'RUN'}",
    )


def _inherited(info: RunInfo, root: Path) -> tuple[Resume, dict[str, Path]]:
    """How a run that is a resumed one itself began, and the rows that are there for it."""
    files = left_by(root, info.id)
    try:
        earlier = Resume.from_plain(json.loads((info.path / RESUME_FILE).read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        return Resume(""), files
    return earlier, {name: path for name, path in earlier.left.items() if path.exists()} | files


def _states(info: RunInfo, events: list[dict[str, Any]], manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What became of each step, by its events: those were written as it happened, whatever became of the run."""
    blank = [{"id": step["id"], "state": "pending"} for step in manifest["steps"]]
    return steps_by_events(blank, events)[0]


class Trace(enum.Enum):
    """Where it shows whether a step that was stopped has written."""

    NOT_NEEDED = "it has not, or may be done again"
    IN_JOURNAL = "the journal in its target"
    NOWHERE = "nowhere"


def _trace(step: Mapping[str, Any], events: Iterable[Mapping[str, Any]]) -> Trace:
    """Where it shows whether the step, which adds to what is there, got through before it was stopped.

    A step that said that it failed has written nothing: writers of ours write all or nothing. One that was stopped
    from outside said nothing; but writers into databases say when they begin to make their rows final.
    """
    if step.get("mode") != "write":
        return Trace.NOT_NEEDED
    told = [event for event in events if event.get("step_id") == step["id"]]
    commits = [event for event in told if event.get("event") == "step_commit"]
    # An upsert adds rows that have NULL in their key, and says so.
    if _repeatable(step) and all(event.get("repeatable", True) for event in commits):
        return Trace.NOT_NEEDED
    begun = [event for event in told if event.get("event") == "step_start"]
    ended = any(event.get("event") in ("step_error", "step_skipped") for event in told)
    unknown = any(event.get("outcome_unknown") for event in told)
    if not unknown and (not begun or (ended and _is_own(step))):
        return Trace.NOT_NEEDED
    if not commits:
        certain = begun and begun[0].get("all_or_nothing") and not unknown
        return Trace.NOT_NEEDED if certain else Trace.NOWHERE
    return Trace.IN_JOURNAL if all(event.get("journalled") for event in commits) else Trace.NOWHERE


def _still_in_journal(run: str) -> bool:
    """Whether what ``run`` entered is certainly still there: entries of long ago are removed."""
    age = time.time() - seconds_of(run)
    return age < (KEPT_DAYS - _MARGIN_DAYS) * 86_400


def _repeatable(step: Mapping[str, Any]) -> bool:
    """Whether the target is the same after the step was carried out twice."""
    from osiris.components.registry import ComponentRegistry

    if not _is_own(step):
        return False
    config = step.get("config") or {}
    mode = next((config[key] for key in _MODE_KEYS if config.get(key)), None)
    if mode is not None:
        return mode in ("replace", "upsert", "overwrite")
    spec = ComponentRegistry.builtin().get(str(step["component"]))
    if spec is None or any(key in spec.properties for key in _MODE_KEYS):
        return False
    return "output" in spec.path_keys.values()  # a file, which appears as a whole


def _is_own(step: Mapping[str, Any]) -> bool:
    return str(step.get("driver") or "").startswith("osiris.drivers.")


def _with_needed_rows(
    run: str, steps: Mapping[str, Mapping[str, Any]], finished: set[str], files: Mapping[str, Path]
) -> Resume:
    """Which steps are done: finished ones that nobody takes rows of any more, or whose rows are still there."""
    consumers: dict[str, list[str]] = {name: [] for name in steps}
    for name, step in steps.items():
        for source in set((step.get("inputs") or {}).values()):
            consumers[source].append(name)
    for name in reversed(list(steps)):  # rows that nobody takes any more need not be made
        if steps[name].get("mode") != "write" and consumers[name] and finished.issuperset(consumers[name]):
            finished.add(name)
    left: dict[str, Path] = {}
    todo = [name for name in steps if name not in finished]
    while todo:
        for source in (steps[todo.pop()].get("inputs") or {}).values():
            if source in left:
                continue
            if source in files and is_sound(files[source]):
                left[source] = files[source]
                finished.add(source)
            elif source in finished:
                finished.discard(source)  # it left no rows, so it makes them again
                todo.append(source)
    return Resume(run, frozenset(finished), left)
