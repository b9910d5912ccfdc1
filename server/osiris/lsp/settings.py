"""What the user has set, from the initialisation options and from ``workspace/configuration``. Nothing is required."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings the server itself reads.

    ``trusted`` is False only when the client says so: then nothing of the workspace is compiled, run or connected to.
    """

    trusted: bool = True
    compile_on_save: bool = True

    def updated(self, values: object) -> Settings:
        """These settings with the known keys of a JSON object; values of the wrong type are passed over.

        ``trusted`` can be taken away by any message, but given only by the initialisation options.
        """
        if not isinstance(values, dict):
            return self
        nested = values.get("osiris")
        settings = self.updated(nested) if isinstance(nested, dict) else self
        if isinstance(on_save := values.get("compileOnSave"), bool):
            settings = replace(settings, compile_on_save=on_save)
        if values.get("trusted") is False:
            settings = replace(settings, trusted=False)
        return settings
