"""The command line: one module per command under ``commands``, imported when that command is used."""
