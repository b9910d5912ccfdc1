"""What can go wrong between us and a model, said for users."""

from __future__ import annotations

from osiris.core.error_categories import ErrorCategory
from osiris.core.error_taxonomy import ConfigurationError, OsirisError


class ModelError(OsirisError):
    """The model cannot be reached, refuses, or its answer cannot be used.

    ``transient``: whether the same request may succeed later; ``retry_after``: in how many seconds, where the provider
    says so. ``answered`` tells whether a part of the answer had already arrived.
    """

    default_code = "OML620"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        category: ErrorCategory = ErrorCategory.UNREACHABLE,
        transient: bool = False,
        retry_after: float | None = None,
        answered: bool = False,
    ) -> None:
        super().__init__(message, hint=hint)
        self.category = category
        self.transient = transient
        self.retry_after = retry_after
        self.answered = answered


class NoModelError(ConfigurationError):
    """No model is set up. The message says so in one sentence, the hint how to set one up."""

    default_code = "OML621"


class AiForbiddenError(ConfigurationError):
    """The project's ``osiris.yaml`` forbids what was asked of a model."""

    default_code = "OML622"


class ModelCancelledError(OsirisError):
    """The user stopped the model; nothing is wrong."""

    default_code = "OML623"
    category = ErrorCategory.CANCELLED
