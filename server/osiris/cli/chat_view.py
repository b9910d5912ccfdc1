"""Shows a conversation with the agent while it happens: as text for people, or each event as a line of JSON."""

from __future__ import annotations

import dataclasses
import os
import sys
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from osiris.cli.failures import say_error, say_warning
from osiris.cli.source_view import plain_line
from osiris.cli.streams import colour_wanted, paint, speaks_unicode, write_json_line

if TYPE_CHECKING:
    from osiris.core.agent.events import AgentEvent, ToolUsed
    from osiris.core.agent.host import Consent
    from osiris.core.agent.proposals import Proposal
    from osiris.core.conversational_agent import AgentResponse
    from osiris.core.error_taxonomy import OsirisError
    from osiris.core.secrets_masking import Masker

_MARKS = {"done": ("✓", "+"), "failed": ("✗", "!"), "tool": ("·", "-")}
_SHOWN_OTHERWISE = {"propose_pipeline", "propose_step", "ask_choice"}
_DIFF_STYLES = {"+": "good", "-": "error", "@": "hint"}


class TextView:
    """Text for people. The answer and the diff go to standard output; what happens on the way goes to standard error,
    so that a script that wants the answer gets nothing else."""

    def __init__(self, *, terminal: bool) -> None:
        """``terminal``: somebody watches, and a line may say that the model thinks."""
        self._terminal = terminal and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._colour = colour_wanted(sys.stderr)
        self._colour_out = colour_wanted(sys.stdout)
        self._mid_line = False
        self._thinking = False
        self._refused: str | None = None

    def wait(self) -> None:
        """The model is asked, and nothing of its answer is there yet."""
        if self._terminal and not self._mid_line:
            click.echo(paint("thinking …" if speaks_unicode(sys.stderr) else "thinking", "faint", on=self._colour),
                       err=True, nl=False)  # fmt: skip
            self._thinking = True

    def show(self, event: AgentEvent, masker: Masker) -> None:
        """Show what happens."""
        from osiris.core.agent.events import Asked, Noted, Proposed, Said, StateEntered, ToolUsed

        if not isinstance(event, Proposed | StateEntered):
            self._say_refused()
        match event:
            case Said():
                self._say(masker.text(event.text))
            case ToolUsed():
                self._used(event, masker)
            case Proposed():
                self._refused = None
                self._proposed(event.proposal, event.attempt, masker)
            case Noted():
                self._line("tool", masker.text(event.text), "warning")
            case Asked():
                self.break_line()
                click.echo(plain_line(masker.text(event.question)))
                for number, option in enumerate(event.options, 1):
                    click.echo(f"  {number}. {plain_line(masker.text(option))}")

    def heard(self, event: Mapping[str, Any]) -> None:
        """Show what the adapter of the model tells: another try, another model."""
        if event["event"] == "llm_retry":
            self._line("tool", f"{event['reason']} Trying again in {event['seconds']:.0f} s.", "warning")
        elif event["event"] == "llm_fallback":
            self._line("tool", f"{event['reason']} Another model is asked instead of {event['from']}.", "warning")
        elif event["event"] == "llm_request":
            self.wait()

    def consent(self, what: Consent, question: str, answer: bool | None) -> None:
        """Say what would have been asked if somebody were there; with an ``answer`` they have seen it."""
        if answer is None:
            self._line("failed", f"{question} Nobody is there to say yes.", "warning")

    def end(self, response: AgentResponse, masker: Masker, conversation: str) -> None:
        """The turn is over."""
        self._say_refused()
        self.break_line()
        proposal = response.proposal
        if proposal is not None:
            if not response.text and proposal.summary:
                click.echo(plain_line(masker.text(proposal.summary)))
            self.diff(proposal, masker)
            self.findings(proposal, masker)
        if response.problem is not None:
            say_warning(plain_line(masker.text(response.problem)))

    def failed(self, error: OsirisError, masker: Masker) -> None:
        """The model did not answer."""
        self.break_line()
        say_error(plain_line(masker.text(error.message)), error.hint)

    def diff(self, proposal: Proposal, masker: Masker) -> None:
        """What the proposal would change, on standard output."""
        for line in masker.text(proposal.diff()).splitlines():
            style = _DIFF_STYLES.get(line[:1], "")
            click.echo(paint(plain_line(line), style or "faint", on=self._colour_out and bool(style)))

    def findings(self, proposal: Proposal, masker: Masker) -> None:
        """What is wrong in the proposal, or may be."""
        for finding in proposal.findings():
            word = paint(finding["severity"], finding["severity"], on=self._colour)
            place = f"{proposal.path}:{finding['line']}"
            click.echo(f"{place}: {word} {finding['code']} {plain_line(masker.text(finding['message']))}", err=True)

    def break_line(self) -> None:
        """What is printed next begins a line of its own."""
        self._wipe()
        if self._mid_line:
            click.echo()
            self._mid_line = False

    def _used(self, event: ToolUsed, masker: Masker) -> None:
        text = f"{event.name}: {masker.text(event.summary)}"
        if event.name not in _SHOWN_OTHERWISE:
            self._line("tool" if event.ok else "failed", text, "faint" if event.ok else "warning")
        elif not event.ok:  # either the proposal follows, with what is wrong in it, or it was refused
            self._refused = text

    def _say_refused(self) -> None:
        if self._refused is not None:
            self._line("failed", self._refused, "warning")
            self._refused = None

    def _proposed(self, proposal: Proposal, attempt: int, masker: Masker) -> None:
        errors = proposal.errors()
        if proposal.ok:
            warnings = len(proposal.findings())
            more = f", {warnings} warning{'' if warnings == 1 else 's'}" if warnings else ""
            self._line("done", f"{proposal.path} compiles{more}", "good")
            return
        said = f": {errors[0].code} {errors[0].message}" if errors else ""
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        self._line("failed", masker.text(f"try {attempt} does not compile{said}{more}"), "warning")

    def _say(self, text: str) -> None:
        """Some more of the answer, without anything that a terminal would obey."""
        self._wipe()
        safe = "".join(c if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs") else "·" for c in text)
        if safe:
            click.echo(safe, nl=False)
            sys.stdout.flush()
            self._mid_line = not safe.endswith("\n")

    def _line(self, mark: str, text: str, style: str) -> None:
        self.break_line()
        sign = _MARKS[mark][0 if speaks_unicode(sys.stderr) else 1]
        click.echo(paint(f"{sign} {plain_line(text)}", style, on=self._colour), err=True)

    def _wipe(self) -> None:
        if self._thinking:
            click.echo("\r\x1b[K", err=True, nl=False)
            self._thinking = False


class JsonView:
    """Each event as a line of JSON on standard output; the last one is ``response`` or ``error``."""

    def show(self, event: AgentEvent, masker: Masker) -> None:
        """Print what happens."""
        write_json_line(masked(event.data(), masker))

    def heard(self, event: Mapping[str, Any]) -> None:
        """Print what the adapter of the model tells."""
        write_json_line(dict(event))

    def consent(self, what: Consent, question: str, answer: bool | None) -> None:
        """Print what the agent may or may not do."""
        write_json_line({"event": "consent", "what": what.value, "question": question, "answer": bool(answer)})

    def end(self, response: AgentResponse, masker: Masker, conversation: str) -> None:
        """The last line of an answer."""
        proposal, question = response.proposal, response.question
        proposed = None
        if proposal is not None:  # a text with a mask in it is no text to write
            was_masked = masker.text(proposal.text) != proposal.text
            proposed = {**proposal.data(), "diff": proposal.diff(), "masked": was_masked}
        data = {
            "event": "response",
            "state": response.state.value,
            "text": response.text,
            "proposal": proposed,
            "question": question.data() if question is not None else None,
            "problem": response.problem,
            "tries": response.tries,
            "usage": dataclasses.asdict(response.usage),
        }
        # An id of ours looks as random as a key does.
        write_json_line({"conversation": conversation, **masked(data, masker)})

    def failed(self, error: OsirisError, masker: Masker) -> None:
        """The last line when the model did not answer."""
        data = {"event": "error", "code": error.code, "message": error.message, "hint": error.hint}
        write_json_line(masked(data, masker))


View = TextView | JsonView


def masked(value: Any, masker: Masker) -> Any:
    """Nested plain data with the secrets in its texts masked; numbers and what a key is called do not matter."""
    if isinstance(value, str):
        return masker.text(value)
    if isinstance(value, Mapping):
        return {key: masked(item, masker) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [masked(item, masker) for item in value]
    return value
