"""One module per command of ``workspace/executeCommand``; each has one function, ``handle``."""
