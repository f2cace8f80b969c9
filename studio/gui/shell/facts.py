"""What the frame shows about the workspace, as a port: the window knows no repository.

``WorkspaceFacts`` in studio/gui/shell/workspace_facts.py answers from the services; tests use a small fake.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from studio.services.ports import OutboundCall

StageKey = Literal["data", "train", "try"]
StageState = Literal["todo", "ready", "running", "attention", "done"]


@dataclass(frozen=True)
class Item:
    """Something with a name that can be chosen: a matrix or a product."""

    id: str
    name: str


@dataclass(frozen=True)
class StageFact:
    """How far one stage of the chosen product is. ``words`` says it in a sentence (tooltip, screen reader)."""

    state: StageState
    words: str


class ShellFacts(Protocol):
    """Read by the frame when it is built and after changes; each call must be quick (a query or two)."""

    def matrices(self) -> Sequence[Item]: ...

    def products(self, matrix_id: str) -> Sequence[Item]: ...

    def stages(self, product_id: str | None) -> Mapping[StageKey, StageFact]: ...

    def connections(self) -> Sequence[OutboundCall]: ...

    def online_allowed(self) -> bool: ...
