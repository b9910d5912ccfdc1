"""Component specs (YAML data) and their registry."""
