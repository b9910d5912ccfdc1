"""``python -m osiris`` is the command ``osiris``."""

from __future__ import annotations

import sys

from osiris.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
