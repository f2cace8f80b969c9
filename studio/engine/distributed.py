"""Several processes train one run together: each takes its share of every batch, and all make the same update.

Started by torchrun, by ``accelerate launch`` or by the studio itself, which all say who a process is by the variables
RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT. Rank 0 leads: it alone speaks, evaluates and saves. The
others wait for its word before each update, so that only the leader needs to know about pauses, stops and clocks.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from enum import IntEnum
from typing import Any, Final, TypeVar

import torch
from torch import Tensor, nn

from studio.domain.specs import TrainSpec

_PATIENCE: Final = timedelta(
    days=30
)  # a pause may be long; a leader that dies is noticed at once, by its connection
ObjectT = TypeVar("ObjectT")


class Word(IntEnum):
    """What the leader says before each update."""

    END = 0
    UPDATE = 1
    REST = 2  # a pause begins: give the device's memory back


class Team:
    """The processes of one run. A team of one does nothing, at no cost."""

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank, self.size = rank, size

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def own(self, pieces: Sequence[list[int]]) -> list[list[int]]:
        """This process's share of an update's pieces."""
        return list(pieces[self.rank :: self.size])

    def total(self, *numbers: float) -> list[float]:
        """Sums over all processes of numbers that each has."""
        if self.size == 1:
            return list(numbers)
        summed = torch.tensor(numbers, dtype=torch.float64, device=_device())
        torch.distributed.all_reduce(summed)
        found: list[float] = summed.tolist()
        return found

    @torch.no_grad()
    def add_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Every parameter's gradient becomes the sum over all processes; one that nobody has stays None."""
        if self.size == 1:
            return
        present = torch.tensor([p.grad is not None for p in parameters], dtype=torch.int32, device=_device())
        torch.distributed.all_reduce(present)
        used = [p for p, count in zip(parameters, present.tolist(), strict=True) if count]
        for parameter in used:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        for dtype in dict.fromkeys(p.dtype for p in used):
            grads = [p.grad for p in used if p.dtype is dtype and p.grad is not None]
            flat = torch.cat([grad.reshape(-1) for grad in grads])
            torch.distributed.all_reduce(flat)
            _spread(flat, grads)

    def seed(self, spec: TrainSpec, step: int) -> None:
        """Draw dropout of an update apart from the others'. A pure function, so that only the leader's is saved."""
        if not self.leads:
            torch.manual_seed((spec.seed * 1_000_003 + step * self.size + self.rank) % 2**63)

    def tell(self, word: Word, pieces: int = 1, rate_factor: float = 1.0) -> None:
        """The leader: say what comes next, and what of its state the others need for it."""
        if self.size > 1:
            said = torch.tensor([word, pieces, rate_factor], dtype=torch.float64, device=_device())
            torch.distributed.broadcast(said, src=0)

    def dismiss(self) -> None:
        """The leader: the run is over, well or not. Says nothing about others that are gone already."""
        try:
            self.tell(Word.END)
        except RuntimeError:
            return

    def hear(self) -> tuple[Word, int, float]:
        """The others: wait for what the leader says."""
        said = torch.zeros(3, dtype=torch.float64, device=_device())
        torch.distributed.broadcast(said, src=0)
        word, pieces, rate_factor = said.tolist()
        return Word(int(word)), int(pieces), rate_factor

    def share(self, thing: ObjectT | None) -> ObjectT:
        """What the leader has, in every process; the others give None."""
        if self.size == 1:
            assert thing is not None
            return thing
        held: list[Any] = [thing]
        torch.distributed.broadcast_object_list(held, src=0, device=_device())
        shared: ObjectT = held[0]
        return shared

    def leave(self) -> None:
        """Part from the others. Called once, at the end."""
        if self.size > 1 and torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


def join_team(environment: dict[str, str] | None = None) -> Team:
    """The team that the environment names; waits until all are there. A process started alone is a team of one."""
    said = dict(os.environ) if environment is None else environment
    size, rank = int(said.get("WORLD_SIZE", "1")), int(said.get("RANK", "0"))
    if size == 1:
        return Team()
    gpu = torch.cuda.is_available()
    if gpu:
        torch.cuda.set_device(int(said.get("LOCAL_RANK", "0")))
    torch.distributed.init_process_group(
        "nccl" if gpu else "gloo", rank=rank, world_size=size, timeout=_PATIENCE
    )
    return Team(rank, size)


def divided(indices: list[int], parts: int) -> list[list[int]]:
    """A batch as ``parts`` pieces of about equal size and alike in length; empty ones where it has too few rows."""
    return [indices[part::parts] for part in range(parts)] if parts > 1 else [indices]


def _spread(flat: Tensor, grads: Sequence[Tensor]) -> None:
    start = 0
    for grad in grads:
        grad.copy_(flat[start : start + grad.numel()].view_as(grad))
        start += grad.numel()


def _device() -> torch.device:
    return torch.device("cuda") if torch.distributed.get_backend() == "nccl" else torch.device("cpu")
