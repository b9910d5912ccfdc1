"""Where the engine and its users find the lazy rows that flow between steps."""

from __future__ import annotations

from osiris.sql.dataset import BATCH_ROWS, Dataset, as_dataset

__all__ = ["BATCH_ROWS", "Dataset", "as_dataset"]
