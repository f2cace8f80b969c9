"""What happens when a run holds still: the state is saved, the device's memory given back, and taken up again."""

from __future__ import annotations

from collections.abc import Callable

import torch

from studio.engine import devices
from studio.engine.checkpoint import Position
from studio.engine.control import Control, Emit, Reason
from studio.engine.distributed import Team, Word
from studio.engine.saver import Saver
from studio.i18n import _
from studio.protocol.events import Log
from studio.words import size_words


class Standstill:
    """For one run. save: writes the state as it is now, and returns when it is on the disk."""

    def __init__(
        self, position: Position, model: torch.nn.Module, optimizer: torch.optim.Optimizer, device: torch.device, *,
        saver: Saver, save: Callable[[], None], emit: Emit, control: Control, team: Team,
    ) -> None:  # fmt: skip
        self._position, self._model, self._optimizer, self._device = position, model, optimizer, device
        self._saver, self._save, self._emit, self._control, self._team = saver, save, emit, control, team

    def begin(self) -> int:
        """Save, and give memory back: on a GPU all of it, on the processor what is not the model itself."""
        before = devices.memory_used(self._device)
        self._save()
        self._saver.forget_buffers()
        self._team.tell(Word.REST)
        if self._device.type != "cpu":
            devices.move(self._model, self._optimizer, torch.device("cpu"))
        devices.release_memory()
        text = _("Memory while the run holds still: {after}, before {before}.")
        after = devices.memory_used(self._device)
        self._emit(Log(level="info", message=text.format(after=size_words(after), before=size_words(before))))
        return self._position.step

    def end(self) -> None:
        """Take the device's memory again. Raises torch.OutOfMemoryError when another program has it now."""
        if self._device.type != "cpu":
            devices.move(self._model, self._optimizer, self._device)

    def out_of_memory(self) -> None:
        """Hold the run until the user has made room: smaller pieces of a batch did not help, or there are none."""
        step = self.begin()
        reason = Reason(
            "run.out_of_memory",
            _("There is too little memory for step {step}, even with fewer rows at once.").format(
                step=step + 1
            ),
            _(
                "Close other programs and let it go on, or stop it and train with shorter rows or a smaller model."
            ),
        )
        self._control.hold(step, reason)
        self.end()
