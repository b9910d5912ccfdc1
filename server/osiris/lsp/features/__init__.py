"""One module per LSP method; each has one function, ``handle``. See ``osiris.lsp.server`` for the table."""
