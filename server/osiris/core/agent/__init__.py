"""The agent that writes pipelines: its conversation, its tools, and the checks that its proposals pass."""
