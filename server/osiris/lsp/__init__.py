"""The language server: pygls behind a small adapter, one module per LSP method.

Every feature module has the same shape: find the snapshot, turn the position into an offset, call ``osiris.ide``,
turn the result back. ``server.METHODS`` is the table of all methods.
"""
