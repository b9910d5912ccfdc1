"""Osiris: a language server, compiler and runner for OML data pipelines."""

__version__ = "0.1.0"
