"""Open the example shop in VS Code in the browser, with the Osiris extension: ``make editor``.

The example is copied to a scratch folder, so that you can break it as you like; ``--here FOLDER`` opens another folder
in place. Ctrl-C or a closed terminal ends everything and removes the scratch folder.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Sequence
from pathlib import Path

import code_server
import setup_editors


def main(arguments: Sequence[str]) -> int:
    """Serve until Ctrl-C or SIGTERM. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--here", type=Path, metavar="FOLDER", help="open this folder in place")
    parser.add_argument("--browser", action="store_true", help="also open the address in your browser")
    options = parser.parse_args(arguments)
    if options.here is not None and not options.here.is_dir():
        print(f"{options.here} is not a folder.", file=sys.stderr)
        return 2
    if setup_editors.main(["node", "vscode-extension", "code-server"]) != 0 or not setup_editors.code_server_ready():
        print("VS Code in the browser is not installed (see above), so it cannot be opened.", file=sys.stderr)
        return 1
    try:
        return _serve(options.here, options.browser)
    except code_server.EditorError as error:
        print(error, file=sys.stderr)
        return 1


def _serve(folder: Path | None, browse: bool) -> int:
    end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # the last one: the terminal was closed
        signal.signal(number, lambda *_: end.set())
    with tempfile.TemporaryDirectory(prefix="osiris-editor-") as scratch:
        data = Path(scratch) / "vscode"
        data.mkdir()
        opened = folder.resolve() if folder is not None else code_server.copy_example(Path(scratch) / "shop")
        with code_server.CodeServer(data) as server:
            address = server.url(opened)
            print(f"VS Code with Osiris is at\n\n    {address}\n", flush=True)
            if folder is None:
                print("Three things to try in pipelines/ (a scratch copy of examples/shop):")
                print("  1. broken-orders.oml.yaml: seven mistakes; put the cursor on one and press Ctrl+.")
                print("  2. daily-revenue.oml.yaml: press Enter behind a key of a step's config: suggestions appear")
                print("  3. press F1, choose Osiris: Run Pipeline, and watch the Osiris output")
                print("Edits and outputs live in that copy, and go with it.")
            print("\nAnyone who can open this address on this machine can use it. Ctrl-C ends it.", flush=True)
            if browse:
                webbrowser.open(address)
            end.wait()
    print("Ended.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
