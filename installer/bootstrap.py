#!/usr/bin/env python3
"""The one command that a newcomer types: sets up what is missing, then opens, tests or only prepares.

It runs before anything is installed, so this folder uses the standard library alone. The syntax of this file
stays readable by old Pythons, so that they can be told which version is needed.
"""

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OLDEST, FIRST_UNSUPPORTED = (3, 11), (3, 14)


def main():  # type: () -> int
    """Refuse a Python that the dependencies do not support, else hand over to installer.command."""
    if not OLDEST <= sys.version_info[:2] < FIRST_UNSUPPORTED:
        found = "%d.%d" % sys.version_info[:2]  # noqa: UP031 (must parse on old Pythons)
        sys.stderr.write(
            "This is Python " + found + "; the studio needs 3.11, 3.12 or 3.13.\n"
            "这是 Python " + found + "；本工作室需要 3.11、3.12 或 3.13。\n"
            "Debian 12: sudo apt-get install python3 python3-venv | macOS: brew install python@3.12 | "
            "Windows: winget install Python.Python.3.12\n"
            "Then run this command again with that Python.  然后用新版 Python 重新运行本命令。\n"
        )
        return 2
    # Replaces this script's own folder, whose module names must not shadow anybody else's.
    sys.path[0] = ROOT
    from installer.command import run_command

    return run_command(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
