"""How much the property tests try: a bounded, repeatable number by default, much more under ``make soak``."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_ALWAYS = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}

settings.register_profile("bounded", max_examples=100, derandomize=True, **_ALWAYS)
settings.register_profile("soak", max_examples=5000, print_blob=True, **_ALWAYS)
settings.load_profile("soak" if os.environ.get("OSIRIS_SOAK") else "bounded")
