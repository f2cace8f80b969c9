"""The model that a run trains: an adapter on a base, a whole base, or a new small Llama; and how it is kept."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from studio.domain.architectures import Method
from studio.domain.runs import RunPlan
from studio.domain.specs import ADDS_ON, TrainSpec, scratch_inner_width
from studio.engine.folders import plain_write_errors
from studio.engine.kernels import attention
from studio.engine.loading import LIBRARY_ERRORS, check_model_folder, load_model, unreadable
from studio.errors import StudioError
from studio.extras import install_command
from studio.i18n import _

END, TURN_START, TURN_END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


@dataclass(frozen=True)
class Size:
    """Numbers of parameters: all, and those that the run changes."""

    parameters: int
    trainable: int


def check_method(spec: TrainSpec, device: torch.device) -> None:
    """Raise StudioError ``method.needs_gpu`` or ``method.needs_package`` when the method cannot work here.

    QLoRA's 4-bit matrices are multiplied by bitsandbytes, an optional package that needs an NVIDIA GPU.
    """
    if spec.method is not Method.QLORA:
        return
    if device.type != "cuda":
        raise needs_gpu()
    if importlib.util.find_spec("bitsandbytes") is None:
        raise StudioError(
            "method.needs_package",
            _("The compressed add-on (QLoRA) needs the package “bitsandbytes”, which is not installed."),
            _("Choose the small add-on (LoRA), or type this command in a terminal: {command}").format(
                command=install_command("qlora")
            ),
        )


def needs_gpu() -> StudioError:
    """What to say when QLoRA is asked for without an NVIDIA GPU."""
    return StudioError(
        "method.needs_gpu",
        _("The compressed add-on (QLoRA) works on an NVIDIA GPU only, and this run has none."),
        _("Choose the small add-on (LoRA): it gives the same kind of model."),
    )


def tuned_model(plan: RunPlan, device: torch.device, dtype: torch.dtype) -> nn.Module:
    """The plan's base with its adapter, or whole, ready to be trained. dtype: of a base that stays as it is.

    What is trained is float32. Raises StudioError model.*, method.*.
    """
    folder, spec = Path(plan.base_dir or ""), plan.spec
    check_method(spec, device)
    torch.manual_seed(spec.seed)
    attention.use_here()
    if spec.method is Method.QLORA:
        return add_adapter(_load_compressed(folder, device, dtype), spec)
    if spec.method in ADDS_ON:
        return add_adapter(load_model(folder, dtype=dtype, device=device), spec)
    model: nn.Module = load_model(folder, dtype=torch.float32, device=device)
    model.requires_grad_(True)
    return model


def _load_compressed(folder: Path, device: torch.device, dtype: torch.dtype) -> Any:
    """The base with its linear layers in 4-bit NormalFloat, doubly quantised (Dettmers et al. 2023)."""
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    check_model_folder(folder)
    compressed = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )
    try:
        return AutoModelForCausalLM.from_pretrained(
            str(folder), quantization_config=compressed, dtype=dtype, device_map={"": device},
            local_files_only=True, trust_remote_code=False, use_safetensors=True,
        ).eval()  # fmt: skip
    except LIBRARY_ERRORS as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        raise unreadable(folder, error) from error


def add_adapter(model: nn.Module, spec: TrainSpec) -> nn.Module:
    """The model with an adapter on every linear layer but the head; only the adapter trains.

    LoRA (Hu et al. 2021), or with a length learned beside each row's direction: DoRA (Liu et al. 2024).
    """
    from peft import LoraConfig, TaskType, get_peft_model
    from transformers.pytorch_utils import Conv1D

    from studio.engine.kernels.lora import join_products

    config = LoraConfig(
        r=spec.lora_rank, lora_alpha=spec.lora_alpha, lora_dropout=spec.lora_dropout,
        target_modules="all-linear", task_type=TaskType.CAUSAL_LM, bias="none",
        use_dora=spec.method is Method.DORA,
        fan_in_fan_out=any(isinstance(module, Conv1D) for module in model.modules()),  # GPT-2's layers
    )  # fmt: skip
    adapted: nn.Module = get_peft_model(model, config)
    join_products(adapted)
    return adapted


def new_model(spec: TrainSpec, tokenizer: Any) -> nn.Module:
    """A randomly initialised Llama of the spec's layers, heads and width, tied embeddings, for this tokenizer.

    Initialisation uses torch's generator, which the caller has seeded.
    """
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=spec.width, intermediate_size=scratch_inner_width(spec.width),
        num_hidden_layers=spec.layers, num_attention_heads=spec.heads, num_key_value_heads=spec.heads,
        max_position_embeddings=max(spec.max_length, 512), tie_word_embeddings=True, attention_dropout=0.0,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    model: nn.Module = LlamaForCausalLM(config)
    return model


def new_tokenizer(texts: Iterable[str], vocabulary: int, folder: Path) -> Any:
    """A byte-level BPE tokenizer learned from the texts (every string can be written with it), kept in ``folder``.

    A tokenizer already there is used, so that a resumed run has the same one.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    if not (folder / "tokenizer.json").is_file():
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

        backend = Tokenizer(models.BPE())
        backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        backend.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=vocabulary, special_tokens=[END, TURN_START, TURN_END], show_progress=False,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        )  # fmt: skip
        backend.train_from_iterator(texts, trainer)
        made = PreTrainedTokenizerFast(
            tokenizer_object=backend, bos_token=TURN_START, eos_token=TURN_END, pad_token=END, unk_token=END
        )
        made.chat_template = CHATML
        made.save_pretrained(str(folder))
    return AutoTokenizer.from_pretrained(str(folder), local_files_only=True)


def size_of(model: nn.Module) -> Size:
    """Parameters of the model, tied weights counted once."""
    every = sum(p.numel() for p in model.parameters())
    return Size(every, sum(p.numel() for p in model.parameters() if p.requires_grad))


def save_model(model: nn.Module, tokenizer: Any, folder: Path) -> None:
    """Keep the result as Hugging Face tools expect it: adapter or whole model in safetensors, with the tokenizer.

    Raises OSError when the disk refuses.
    """
    with torch.no_grad(), plain_write_errors():
        model.save_pretrained(str(folder), safe_serialization=True)  # type: ignore[operator]
    tokenizer.save_pretrained(str(folder))
