"""Pictures with a label: a residual network from scratch, or a pretrained model with a new head."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from studio.domain.architectures import Architecture, Method
from studio.domain.datasets import Split
from studio.domain.specs import TrainSpec
from studio.engine.devices import multiplied_in
from studio.engine.tasks import goals
from studio.engine.tasks.arrays import ArrayBatch, ArrayItem, ArrayTask, needed, placed, to_show
from studio.engine.tasks.cache import ArrayCache
from studio.engine.tasks.goals import SingleLabel
from studio.engine.tasks.images.backbones import BackboneModel, load_backbone, look_of
from studio.engine.tasks.images.models import CnnSizes, ResidualCnn
from studio.engine.tasks.images.pictures import Look, colours_of, no_pictures, picture_cache, shifted
from studio.engine.tasks.keeping import save_weights, write_task
from studio.engine.tasks.task import Loaded, Setting
from studio.protocol.events import Phase


class PictureTask(ArrayTask):
    """Batches are bytes of pictures, or features where the pretrained model is frozen."""

    def __init__(
        self, model: nn.Module, goal: SingleLabel, look: Look, cache: ArrayCache, shown: Sequence[str],
        setting: Setting,
    ) -> None:  # fmt: skip
        super().__init__(model, goal, cache, shown, setting)
        self._spec, self._look = setting.plan.spec, look

    def array_of(self, name: str) -> NDArray[np.uint8]:
        return self._look.pixels(self._media, name)

    def outputs(self, batch: ArrayBatch) -> Tensor:
        seen = batch.seen
        if seen.ndim == 4:
            if self.model.training and self._spec.dropout > 0:
                seen = shifted(seen)
            seen = self._look.prepared(seen)
        outputs: Tensor = self.model(seen)
        return outputs

    def save(self, folder: Path) -> None:
        document: dict[str, Any] = {
            "architecture": self._spec.architecture.value, "goal": self.goal.document(),
            "look": self._look.document(),
        }  # fmt: skip
        if isinstance(self.model, BackboneModel):
            self.model.backbone.config.save_pretrained(str(folder))
            document["dropout"] = self._spec.dropout
        else:
            document["sizes"] = _sizes(self._look, self.goal, self._spec).document()
        save_weights(self.model, folder)
        write_task(folder, document)


def build(setting: Setting) -> Loaded[ArrayItem, ArrayBatch]:
    """Read the rows, set the goal and make the model. Raises StudioError (model.*, run.no_rows, run.one_label)."""
    rows = {split: list(setting.rows(split)) for split in Split}
    setting.control.check()
    if not rows[Split.TRAIN]:
        raise no_pictures()
    goal = goals.single_label(rows[Split.TRAIN], setting.plan.spec, setting.plan.class_weights)
    items, names = placed(setting, goal, rows, "image")
    setting.emit(Phase(name="loading_model"))
    model, look = _model(setting, goal, [item.name for item in items[Split.TRAIN]])
    cache = _cache(setting, model.to(setting.device), look, names)
    task = PictureTask(model, goal, look, cache, to_show(items), setting)
    return Loaded(task, items[Split.TRAIN], items[Split.VALIDATION], items[Split.TEST])


def _model(setting: Setting, goal: SingleLabel, names: Sequence[str]) -> tuple[nn.Module, Look]:
    spec = setting.plan.spec
    if spec.architecture is Architecture.BACKBONE:
        folder = Path(setting.plan.base_dir or "")
        backbone = load_backbone(folder)
        torch.manual_seed(spec.seed)
        frozen = spec.method is Method.FROZEN
        model = BackboneModel(backbone, spec.image_size, goal.size, spec.dropout, frozen=frozen)
        return model, look_of(folder, spec.image_size, backbone.config.num_channels)
    channels = colours_of(needed(setting.media), names, setting.control.check)
    look = Look(spec.image_size, channels, (0.5,) * channels, (0.25,) * channels)
    torch.manual_seed(spec.seed)
    return ResidualCnn(_sizes(look, goal, spec)), look


def _sizes(look: Look, goal: Any, spec: TrainSpec) -> CnnSizes:
    return CnnSizes(look.size, look.channels, spec.channels, spec.dropout, goal.size)


def _cache(setting: Setting, model: nn.Module, look: Look, names: Sequence[str]) -> ArrayCache:
    """Pictures; or the features that a frozen model gives for them, one picture at a time: the same bits whatever
    else a batch holds, so that a resumed run sees what the first attempt saw."""
    media = needed(setting.media)
    if not isinstance(model, BackboneModel) or setting.plan.spec.method is not Method.FROZEN:
        return picture_cache(setting.work_dir, look, media, names)
    device, dtype = setting.device, setting.dtype

    @torch.no_grad()
    def features(place: int) -> NDArray[np.float32]:
        pixels = torch.from_numpy(np.array(look.pixels(media, names[place]))[None]).to(device)
        with multiplied_in(dtype, device):
            found = model.features(look.prepared(pixels))
        array: NDArray[np.float32] = found[0].float().cpu().numpy()
        return array

    return ArrayCache(setting.work_dir, len(names), (model.width,), np.float32, features)
