"""Rename of steps, parameters and profiles in a document, and of connections in a project."""
