"""A runner that runs nothing: it remembers the commands, answers by rule, and can leave files behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from installer.runner import LineListener, Outcome, Runner

Answer = Callable[[list[str]], Outcome]


class FakeRunner(Runner):
    """Each rule is a text to look for in the joined command, and the answer; without one it succeeds."""

    def __init__(self, folder: Path, rules: Mapping[str, Outcome | Answer] | None = None) -> None:
        super().__init__(folder / "setup.log", folder)
        self.rules = dict(rules or {})
        self.commands: list[str] = []

    def run(
        self,
        command: Sequence[str],
        listener: LineListener | None = None,
        environment: Mapping[str, str] | None = None,
        attended: bool = False,
    ) -> Outcome:
        text = " ".join(command)
        self.commands.append(text)
        for part, answer in self.rules.items():
            if part in text:
                outcome = answer if isinstance(answer, Outcome) else answer(list(command))
                if listener is not None:
                    for line in outcome.tail:
                        listener(line)
                return outcome
        return Outcome(0)

    def ran(self, part: str) -> bool:
        """Whether a command with this text was run."""
        return any(part in command for command in self.commands)
