"""What steps can be made of: component specs (YAML data) and their registry."""
