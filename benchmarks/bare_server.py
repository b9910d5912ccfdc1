"""A pygls server that does nothing: the floor under every pygls start-up."""

from pygls.lsp.server import LanguageServer

if __name__ == "__main__":
    LanguageServer("bare", "0").start_io()
