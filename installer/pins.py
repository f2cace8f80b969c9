"""Writes requirements.txt and requirements-dev.txt from what is installed; for maintainers, not for set-up.

Run it with the private environment's Python after changing a dependency in pyproject.toml. Only what the
program reaches through its declared dependencies is pinned; torch has its own set-up step, since its build
depends on the machine.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
HEAD = "# Written by installer/pins.py from a tested environment; do not edit by hand.\n"
UNPINNED = {"torch"}
# Installed on one system only; declared so by the packages that ask for them.
MARKERS = {
    "jeepney": 'sys_platform == "linux"',
    "pysqlite3": 'sys_platform == "linux"',
    "secretstorage": 'sys_platform == "linux"',
    "cryptography": 'sys_platform == "linux"',
    "cffi": 'sys_platform == "linux"',
    "pycparser": 'sys_platform == "linux"',
    "importlib-metadata": 'python_version < "3.12"',
    "backports-tarfile": 'python_version < "3.12"',
}


def closure(requirements: Iterable[str]) -> dict[str, str]:
    """Canonical name -> installed version of everything that these requirements reach on this machine."""
    pins: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(Requirement(text), "") for text in requirements]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        try:
            found = distribution(name)
        except PackageNotFoundError as error:
            raise SystemExit(f"{name} is declared but not installed: install it first") from error
        pins[name] = found.version
        for wanted in ("", *requirement.extras):
            if (name, wanted) not in seen:
                seen.add((name, wanted))
                waiting += [(Requirement(text), wanted) for text in found.requires or ()]
    return {name: version for name, version in pins.items() if name not in UNPINNED}


def written(pins: dict[str, str]) -> str:
    """The text of a requirements file."""
    lines = [f"{name}=={version}{_marker(name)}" for name, version in sorted(pins.items())]
    return HEAD + "\n".join(lines) + "\n"


def _marker(name: str) -> str:
    return f" ; {MARKERS[name]}" if name in MARKERS else ""


def main() -> None:
    """Write both files; the second holds only what the tests add."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    runtime = closure(project["dependencies"])
    tools = closure(project["optional-dependencies"]["dev"])
    (ROOT / "installer" / "requirements.txt").write_text(written(runtime), encoding="utf-8")
    only_tools = {name: version for name, version in tools.items() if name not in runtime}
    (ROOT / "installer" / "requirements-dev.txt").write_text(written(only_tools), encoding="utf-8")


if __name__ == "__main__":
    main()
