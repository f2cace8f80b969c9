"""A run as a program that can be read and run: with its data manifest and settings, in plain torch.

The parts are in resources/scripts; script_parts says which of them make a kind of run, here they are filled in.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any, Final

from studio.domain.architectures import Architecture
from studio.domain.runs import Run, RunPlan
from studio.domain.shapes import SHAPES
from studio.domain.specs import applies
from studio.i18n import _
from studio.paths import resource_path
from studio.report.script_parts import Program, program
from studio.report.script_texts import translated

_PLACE: Final = re.compile("@([A-Z_]+)@")
# A row that still waits for one of these is not learned from; as in studio/ingest/dataset/rows.py.
_NOT_YET: Final = ("prompt", "label", "labels")
# For base models without a chat template; as in studio/engine/tasks/language/encoding.py.
_PLAIN_TEMPLATE: Final = (
    "{% for message in messages %}{% if message['role'] == 'system' %}{{ message['content'] + '\\n\\n' }}"
    "{% elif message['role'] == 'user' %}{{ 'Question: ' + message['content'] + '\\n' }}"
    "{% else %}{{ 'Answer: ' + message['content'] + eos_token + '\\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Answer:' }}{% endif %}"
)
# For new language models; as in studio/engine/models.py.
_CHATML: Final = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def run_script(run: Run, threads: int, name: str) -> str:
    """The program of a run, to be stored as ``name``, with comments in the active language.

    threads: of the processor, when the run did not say how many. Raises OSError when the data of the run is gone.
    """
    plan = run.plan
    facts, told = _facts(plan, threads), program(plan)
    if told is None:
        facts |= {"plan": _replayed(plan), "python": sys.executable}
        return _filled(["engine"], {**_titles(plan, _engine_head(name)), "RUN": _json(facts)})
    values = {
        **told.lines, **_titles(plan, _head(name)), "RUN": _json(facts), "IMPORTS": told.imports(),
        "PACKAGES": " ".join(told.packages()), "DECAY": told.decay, "CHECKED": f"{told.work[0]:_}",
        "HELD_OUT": f"{told.work[1]:_}",
    }  # fmt: skip
    return _filled(_order(told), values)


def written_out(plan: RunPlan) -> bool:
    """Whether the run can be told in plain torch."""
    return program(plan) is not None


def _order(told: Program) -> list[str]:
    return ["start", "rows", "loop", *told.parts, "run"]


def _facts(plan: RunPlan, threads: int) -> dict[str, Any]:
    rows = Path(plan.dataset_dir) / "rows.parquet"
    with rows.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    spec = plan.spec.model_dump(mode="json")
    draws = plan.spec.architecture is Architecture.VAE  # which needs no labels
    return {
        "name": plan.name, "run": plan.run_id, "base": plan.base_dir, "base_name": plan.base_name,
        "threads": plan.spec.threads or threads, "class_weights": plan.class_weights, "compare": plan.compare,
        **_templates(plan),
        "data": {
            "name": plan.dataset_name, "shape": plan.shape.value, "rows": str(rows), "rows_sha256": digest,
            "files": str(Path(plan.dataset_dir).parent), "content_sha256": plan.dataset_sha256,
            "needed": [name for name in SHAPES[plan.shape].stored if name in _NOT_YET and not draws],
            "manifest": _manifest(Path(plan.dataset_dir)),
        },
        "spec": {field: value for field, value in spec.items() if applies(field, plan.spec, plan.shape)},
    }  # fmt: skip


def _templates(plan: RunPlan) -> dict[str, str]:
    if plan.spec.architecture is not Architecture.LANGUAGE_MODEL:
        return {}
    return {"plain_template": _PLAIN_TEMPLATE, "chat_template": _CHATML}


def _manifest(dataset: Path) -> dict[str, Any]:
    """Rows of each split and what else the dataset says of itself in short; {} when it says nothing."""
    try:
        said = json.loads((dataset / "manifest.json").read_text(encoding="utf-8"))
        return {
            name: said[name] for name in ("splits", "split", "split_seed", "rows", "shape") if name in said
        }
    except (OSError, ValueError, TypeError):
        return {}


def _replayed(plan: RunPlan) -> dict[str, Any]:
    """The plan for a run of its own."""
    document: dict[str, Any] = plan.model_dump(mode="json")
    return {**document, "run_id": f"{plan.run_id}-again"}


def _json(facts: dict[str, Any]) -> str:
    """Never three quotes in a row, which alone could end the text around it."""
    return json.dumps(facts, indent=1, ensure_ascii=False)


def _titles(plan: RunPlan, head: list[str]) -> dict[str, str]:
    title = " ".join(f"{plan.name}: {plan.base_name} – {plan.dataset_name}".split())
    return {"TITLE": title.replace("\\", "/").replace('"', "'"), "HEAD": "\n".join(head)}


def _head(name: str) -> list[str]:
    return [
        _("A training run of Product Matrix Studio, written out in plain PyTorch; it does not need the studio."),
        _("Start it with: python {name} [folder for the model]").format(name=name),
        _("RUN below says what was trained on what: the data with files, SHA-256, rows and splits, and all settings."),
        _("It reaches about the same result as the run, not the same bits, since it computes in plainer ways."),
    ]  # fmt: skip


def _engine_head(name: str) -> list[str]:
    return [
        _("A training run of Product Matrix Studio, computed by the studio's own engine with the stored plan."),
        _("What is done there: studio/engine/trainer.py and studio/engine/tasks."),
        _("Start it with: python {name} [folder for the model]").format(name=name),
    ]  # fmt: skip


def _filled(parts: list[str], values: dict[str, str]) -> str:
    """The parts in the active language with ``values`` in their places. What is filled in is not looked through."""
    text = "".join(resource_path("scripts", f"{part}.txt").read_text(encoding="utf-8") for part in parts)
    return _PLACE.sub(lambda place: values[place[1]], translated(text))
