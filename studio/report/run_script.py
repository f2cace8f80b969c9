"""A run as a program that can be read and run: with its data manifest and settings, in plain torch where that is short.

The parts are in resources/scripts; here they are put together and filled in.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final

from studio.domain.architectures import Architecture, Method
from studio.domain.runs import Run, RunPlan
from studio.domain.shapes import Shape
from studio.domain.specs import applies, scratch_inner_width
from studio.paths import resource_path

_LANGUAGE: Final = frozenset({Shape.PROMPT_RESPONSE, Shape.MESSAGES, Shape.TEXT})
# Tokens of the validation rows that a run is checked on; as in studio/engine/tasks.
_CHECKED: Final = {Architecture.LANGUAGE_MODEL: 12_000, Architecture.ENCODER: 60_000}
# For base models without a chat template; as in studio/engine/tasks/language/encoding.py.
_PLAIN_TEMPLATE: Final = (
    "{% for message in messages %}{% if message['role'] == 'system' %}{{ message['content'] + '\\n\\n' }}"
    "{% elif message['role'] == 'user' %}{{ 'Question: ' + message['content'] + '\\n' }}"
    "{% else %}{{ 'Answer: ' + message['content'] + eos_token + '\\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Answer:' }}{% endif %}"
)


def run_script(run: Run, run_dir: Path, threads: int, name: str) -> str:
    """The program of a run, to be stored as ``name``. threads: of the processor, when the run did not say how many.

    Raises OSError when the data of the run is gone.
    """
    plan = run.plan
    facts = _facts(plan, run_dir, threads)
    if not written_out(plan):
        return _filled("engine", plan, {**facts, "plan": _replayed(plan)}, name, {})
    if plan.spec.architecture is Architecture.LANGUAGE_MODEL:
        return _filled("start loop language", plan, facts, name, _language_model(plan))
    return _filled("start loop text_label", plan, facts, name, _classifier(plan))


def written_out(plan: RunPlan) -> bool:
    """Whether the run can be told in plain torch: language models and text labels, without the rarer settings."""
    spec = plan.spec
    rare = spec.schedule == "plateau" or spec.l1 > 0 or plan.fold is not None
    if spec.architecture is Architecture.LANGUAGE_MODEL:
        return plan.shape in _LANGUAGE and spec.method is not Method.QLORA and not rare
    plain = spec.architecture is Architecture.ENCODER and plan.shape is Shape.TEXT_LABEL
    return plain and spec.method in (Method.FULL, Method.LORA) and not rare


def _facts(plan: RunPlan, run_dir: Path, threads: int) -> dict[str, Any]:
    rows = Path(plan.dataset_dir) / "rows.parquet"
    with rows.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    spec = plan.spec.model_dump(mode="json")
    return {
        "name": plan.name, "run": plan.run_id, "base": plan.base_dir, "base_name": plan.base_name,
        "tokenizer": plan.base_dir or str(run_dir / "tokenizer"), "threads": plan.spec.threads or threads,
        "class_weights": plan.class_weights, "plain_template": _PLAIN_TEMPLATE,
        "data": {
            "name": plan.dataset_name, "shape": plan.shape.value, "rows": str(rows), "rows_sha256": digest,
            "content_sha256": plan.dataset_sha256, "manifest": _manifest(Path(plan.dataset_dir)),
        },
        "spec": {field: value for field, value in spec.items() if applies(field, plan.spec, plan.shape)},
    }  # fmt: skip


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


def _language_model(plan: RunPlan) -> dict[str, str]:
    spec = plan.spec
    if plan.base_dir is None:
        return {
            "IMPORTS": "from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM",
            "MODEL": _indented(f"""
                config = LlamaConfig(
                    vocab_size=len(tokenizer), hidden_size=SPEC["width"], num_hidden_layers=SPEC["layers"],
                    intermediate_size={scratch_inner_width(spec.width)}, num_attention_heads=SPEC["heads"],
                    num_key_value_heads=SPEC["heads"], max_position_embeddings=max(SPEC["max_length"], 512),
                    tie_word_embeddings=True, attention_dropout=0.0, bos_token_id=tokenizer.bos_token_id,
                    eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
                )
                model = LlamaForCausalLM(config)"""),
        }
    imports = "from transformers import AutoModelForCausalLM, AutoTokenizer"
    load = 'model = AutoModelForCausalLM.from_pretrained(RUN["base"], dtype=torch.float32)'
    if spec.method is Method.FULL:
        return {"IMPORTS": imports, "MODEL": _indented(load)}
    dora = ", use_dora=True" if spec.method is Method.DORA else ""
    adapter = f"""
        {load}
        model = get_peft_model(model, LoraConfig(
            r=SPEC["lora_rank"], lora_alpha=SPEC["lora_alpha"], lora_dropout=SPEC["lora_dropout"],
            target_modules="all-linear", task_type="CAUSAL_LM", bias="none"{dora},
        ))"""
    return {"IMPORTS": f"from peft import LoraConfig, get_peft_model\n{imports}", "MODEL": _indented(adapter)}


def _classifier(plan: RunPlan) -> dict[str, str]:
    imports = "from transformers import AutoModel, AutoTokenizer"
    if plan.spec.method is Method.FULL:
        whole = "model.encoder.requires_grad_(True)"
        return {"IMPORTS": f"from collections import Counter\n\n{imports}", "MODEL": whole}
    adapter = """
        model.encoder.requires_grad_(False)
        model.encoder = get_peft_model(model.encoder, LoraConfig(
            r=SPEC["lora_rank"], lora_alpha=SPEC["lora_alpha"], lora_dropout=SPEC["lora_dropout"],
            target_modules="all-linear",
        ))"""
    together = f"from collections import Counter\n\nfrom peft import LoraConfig, get_peft_model\n{imports}"
    return {"IMPORTS": together, "MODEL": _indented(adapter, 0)}


def _indented(code: str, spaces: int = 4) -> str:
    lines = code.strip("\n").splitlines()
    least = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
    return "\n".join(" " * spaces + line[least:] for line in lines)


def _filled(parts: str, plan: RunPlan, facts: dict[str, Any], name: str, more: dict[str, str]) -> str:
    text = "".join(
        resource_path("scripts", f"{part}.txt").read_text(encoding="utf-8") for part in parts.split()
    )
    told = json.dumps(
        facts, indent=1
    )  # never three quotes in a row, which alone could end the text around it
    title = " ".join(f"{plan.name}: {plan.base_name} on {plan.dataset_name}".split())
    title = title.replace("\\", "/").replace('"', "'")
    values = {"TITLE": title, "NAME": name, "CHECKED": str(_CHECKED.get(plan.spec.architecture, 0)), **more}
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    return text.replace("@RUN@", told)
