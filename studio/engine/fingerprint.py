"""What must be the same for a resumed run to repeat the uninterrupted one to the bit."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from pathlib import Path

import torch
import transformers

from studio.domain.runs import RunPlan
from studio.engine.prepare import Prepared, format_name


def fingerprint(plan: RunPlan, on: Prepared, processes: int) -> dict[str, str]:
    """Named facts; a resume with another value for one of them is approximate, and says which."""
    return {
        "dataset": plan.dataset_sha256, "spec": hash_of(plan.spec.model_dump_json()), "code": code_hash(),
        "threads": str(on.threads), "processes": str(processes), "dtype": format_name(on),
        "device": on.device.type, "machine": f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}",
        "python": platform.python_version(), "torch": torch.__version__, "transformers": transformers.__version__,
    }  # fmt: skip


@cache
def code_hash() -> str:
    """SHA-256 of the engine's own source files, by name; of nothing where a packaged program has none."""
    digest = hashlib.sha256()
    root = Path(__file__).parent
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def hash_of(text: str) -> str:
    """SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()
