"""Runs in sandboxes of E2B. The only part that knows them, or their package."""
