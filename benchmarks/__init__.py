"""Measurements of the budgets, each beside a peer in the same run. Not tests: nothing here fails on a slow machine."""
