"""osiris.yaml, osiris_connections.yaml and .env as they are edited."""
