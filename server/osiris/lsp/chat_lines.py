"""What happens in a conversation, in lines of a log: for clients that do not show it by themselves."""

from __future__ import annotations

from typing import Any, Literal

Level = Literal["error", "warning", "info", "log"]


class ChatLines:
    """Makes lines of the events of one conversation; text that is said is gathered until something else happens."""

    def __init__(self) -> None:
        self._said = ""

    def lines(self, event: dict[str, Any]) -> list[tuple[Level, str]]:
        """The lines that the event makes ready."""
        if event["event"] == "text":
            self._said += event["text"]
            return []
        said, self._said = self._said.strip(), ""
        found: list[tuple[Level, str] | None] = [("info", said) if said else None, _line(event)]
        return [line for line in found if line is not None]


def short(event: dict[str, Any]) -> str | None:
    """What goes on, in a few words, for a progress; None where nothing new does."""
    match event["event"]:
        case "llm_request":
            return f"asking {event['model'] or event['host']}"
        case "tool":
            return str(event["summary"])
        case "proposal":
            return f"checked try {event['attempt']}"
    return None


def _line(event: dict[str, Any]) -> tuple[Level, str] | None:
    match event["event"]:
        case "tool":
            return "log", f"{event['name']}: {event['summary']}"
        case "proposal":
            findings = "".join(f"\n  line {f['line']}: {f['code']} {f['message']}" for f in event["findings"])
            word = "compiles" if event["ok"] else "has errors"
            return "info", f"Try {event['attempt']}: {event['path']} {word}{findings}"
        case "note":
            return "warning", str(event["text"])
        case "llm_retry":
            return "warning", f"Asking again: {event['reason']}"
        case "llm_fallback":
            return "warning", f"Asking another model: {event['reason']}"
        case "question":
            return "info", f"{event['question']} ({' / '.join(event['options'])})"
        case "error":
            return "error", " ".join(part for part in (event["message"], event["hint"]) if part)
        case "stopped":
            return "info", "Stopped."
        case "response" if event["problem"]:
            return "warning", str(event["problem"])
    return None
