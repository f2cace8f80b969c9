"""One entry for the window, the workers and the command line; imports only what was asked for."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def main(argv: Sequence[str] | None = None) -> int:
    """``gui`` (or nothing), ``worker VERB …``, or a command-line verb; returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] == "gui":
        return _gui(arguments[1:])
    if arguments[0] == "worker":
        from studio.worker.main import main as worker_main

        return worker_main(arguments[1:])
    from studio.cli.app import main as cli_main

    return cli_main(arguments)


def _gui(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="studio gui", description="Open the window.")
    parser.add_argument("--workspace", type=Path, default=None, help="folder of the workspace to open")
    parser.add_argument("--sample", action="store_true", help="open the sample matrix")
    options = parser.parse_args(arguments)
    from studio.gui.app import run_gui

    return run_gui(options.workspace, options.sample)


if __name__ == "__main__":
    raise SystemExit(main())
