"""A small HTTP client for services that answer in JSON, and their answers as rows."""
