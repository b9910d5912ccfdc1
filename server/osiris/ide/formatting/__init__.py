"""Formatting of documents and ranges: one layout for every OML file."""
