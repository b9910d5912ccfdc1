"""The language server: one small adapter per LSP method."""
