"""The public Python API: compile, configure, connect, log, mask, adapt."""
