"""The models that a conversation can use side by side, usually a base and what a run made of it.

Two models with the same base. Measured with the default base on two cores: 29 tokens/s plain or merged, 24
with the adapter beside the weights, 28 with it switched off. So up to 2 GiB of weights the adapter is merged
into a second copy, full speed for both; above, one copy is shared and the adapter switched on and off. The
limit is fixed, not what happens to be free, so that the same question always runs through the same
arithmetic.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from studio.engine.devices import pick_answer_dtype, pick_device, pick_dtype
from studio.engine.loading import (
    check_model_folder,
    has_tokenizer,
    load_adapter,
    load_model,
    load_tokenizer,
)
from studio.engine.tasks.language.encoding import ensure_template
from studio.engine.weights import weight_files
from studio.errors import StudioError
from studio.i18n import _

MERGE_LIMIT_BYTES = 2 * 2**30


class Weights:
    """One base in memory; adapters hang on it under the name of their slot when its weights are shared."""

    def __init__(self, base_dir: Path, model: Any) -> None:
        self.base_dir = base_dir
        self.model = model
        self._wrapper: Any = None  # peft puts its layers into ``model`` itself; the wrapper switches them

    def attach(self, name: str, adapter_dir: Path) -> None:
        """Hang an adapter on; raises StudioError as load_adapter."""
        self._wrapper = load_adapter(self._wrapper or self.model, adapter_dir, name)

    def detach(self, name: str) -> None:
        """Take the adapter off; its memory is given back."""
        if self._wrapper is not None and name in self._wrapper.peft_config:
            others = [other for other in self._wrapper.peft_config if other != name]
            if others:
                self._wrapper.set_adapter(others[0])  # peft deletes an active adapter only with a warning
                self._wrapper.delete_adapter(name)
            else:
                self.model, self._wrapper = self._wrapper.unload(), None

    def merge(self, adapter_dir: Path) -> None:
        """Add the adapter into the weights, for good."""
        self.model = load_adapter(self.model, adapter_dir).merge_and_unload(safe_merge=True).eval()

    @contextmanager
    def active(self, adapter: str | None) -> Iterator[Any]:
        """The model as it answers with this adapter on, all others off."""
        if self._wrapper is None:
            yield self.model
        elif adapter is None:
            with self._wrapper.disable_adapter():
                yield self.model
        else:
            self._wrapper.set_adapter(adapter)
            yield self.model


@dataclass(frozen=True)
class Slot:
    """A loaded model under the name that the user knows. adapter: its name on shared weights, None
    without."""

    name: str
    weights: Weights
    tokenizer: Any
    adapter: str | None = None

    @contextmanager
    def use(self) -> Iterator[tuple[Any, Any]]:
        """The model, as this slot means it, and its tokenizer."""
        with self.weights.active(self.adapter) as model:
            yield model, self.tokenizer


class Slots:
    """Named places for loaded models; weights are shared or merged as the module says."""

    def __init__(
        self, device: str = "auto", dtype: str = "auto", merge_limit_bytes: int = MERGE_LIMIT_BYTES
    ) -> None:
        self.device = pick_device(device)
        self._dtype = dtype
        self._merge_limit = merge_limit_bytes
        self._slots: dict[str, Slot] = {}
        self._shared: dict[Path, Weights] = {}

    def load(self, slot: str, name: str, base_dir: Path, adapter_dir: Path | None = None) -> Slot:
        """Put a model into ``slot``, in place of what was there; raises StudioError as the loading functions.

        A failed load leaves the slot empty: an answer must not come from another model than the one asked
        for.
        """
        self.unload(slot)
        own_tokenizer = adapter_dir is not None and has_tokenizer(adapter_dir)
        try:
            if adapter_dir is None:
                weights, adapter = self._base(base_dir), None
            elif self._fits_twice(base_dir):
                weights, adapter = self._fresh(base_dir), None
                weights.merge(adapter_dir)
            else:
                weights, adapter = self._base(base_dir), slot
                weights.attach(slot, adapter_dir)
            tokenizer = load_tokenizer(adapter_dir if adapter_dir and own_tokenizer else base_dir)
        except StudioError:
            self._forget_unused()
            raise
        ensure_template(tokenizer)
        self._slots[slot] = Slot(name, weights, tokenizer, adapter)
        return self._slots[slot]

    def unload(self, slot: str) -> None:
        """Empty the slot and give its memory back; an empty or unknown slot stays so."""
        gone = self._slots.pop(slot, None)
        if gone is None:
            return
        gone.weights.detach(slot)
        del gone
        self._forget_unused()

    def get(self, slot: str) -> Slot:
        """The model in ``slot``. Raises StudioError ``chat.not_loaded``."""
        if slot not in self._slots:
            raise StudioError(
                "chat.not_loaded", _("No model is loaded here yet."), _("Choose a model first.")
            )
        return self._slots[slot]

    def _fits_twice(self, base_dir: Path) -> bool:
        check_model_folder(base_dir, hashes=False)
        return sum(path.stat().st_size for path in weight_files(base_dir)) <= self._merge_limit

    def _base(self, base_dir: Path) -> Weights:
        """The base's weights, read from disk once for all slots that use it."""
        if base_dir not in self._shared:
            self._shared[base_dir] = self._fresh(base_dir)
        return self._shared[base_dir]

    def _fresh(self, base_dir: Path) -> Weights:
        if self._dtype == "auto":
            dtype = pick_answer_dtype(self.device, check_model_folder(base_dir, hashes=False))
        else:
            dtype = pick_dtype(self._dtype, self.device)
        return Weights(base_dir, load_model(base_dir, device=self.device, dtype=dtype))

    def _forget_unused(self) -> None:
        used = {id(slot.weights) for slot in self._slots.values()}
        self._shared = {path: weights for path, weights in self._shared.items() if id(weights) in used}
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
