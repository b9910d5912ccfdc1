"""Talking to a language model: messages, providers, the wire, and what the user has set up."""
