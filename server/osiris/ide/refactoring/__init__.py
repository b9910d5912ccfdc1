"""Rewritings that keep what a pipeline means. ``catalogue`` lists them; each kind has a module of its own."""
