"""Runs on another machine: what is the same for all of them. ``execution/<name>`` knows how to reach one kind."""
