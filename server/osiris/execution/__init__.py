"""The engine, its adapters and the supervisor of runs."""
