"""``osiris mcp``: what Osiris knows and does, for agents of others, over the Model Context Protocol."""
