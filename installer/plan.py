"""Steps, their stamps, and the loop that does what is left: interruptible and resumable at any point."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from installer.console import Console
from installer.messages import _


class StepError(Exception):
    """A step cannot be done: the cause and the next thing to try, both in the user's language."""

    def __init__(self, cause: str, hint: str, tail: Sequence[str] = ()) -> None:
        super().__init__(cause)
        self.cause = cause
        self.hint = hint
        self.tail = tuple(tail)


class StepPostponed(Exception):
    """A step that this run can do without was left undone; it is tried again next time. The text says why."""


class StepFailed(Exception):
    """The plan stopped at a step: which one, and why."""

    def __init__(self, title: str, error: StepError) -> None:
        super().__init__(title)
        self.title = title
        self.error = error


@dataclass(frozen=True)
class Step:
    """One thing to bring about; ``fingerprint`` hashes all its inputs, ``present`` glances at the disk."""

    key: str
    title: str
    fingerprint: str
    present: Callable[[], bool]
    work: Callable[[], None]


def digest(*parts: str | bytes) -> str:
    """One hash of all parts, each with its length so that they cannot run into each other."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()


class Stamps:
    """Remembers which step was finished with which inputs; one small file each, written after success."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def holds(self, key: str, fingerprint: str) -> bool:
        """Whether this step was finished with exactly these inputs; an unreadable stamp counts as none."""
        try:
            stored = json.loads(self._file(key).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return isinstance(stored, dict) and stored.get("fingerprint") == fingerprint

    def write(self, key: str, fingerprint: str) -> None:
        """Write aside, flush to disk, rename: a power cut leaves the old stamp or the new one."""
        self._folder.mkdir(parents=True, exist_ok=True)
        aside = self._file(key).with_suffix(".part")
        with aside.open("w", encoding="utf-8") as stream:
            json.dump({"fingerprint": fingerprint}, stream)
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(self._file(key))

    def _file(self, key: str) -> Path:
        return self._folder / f"{key}.json"


def is_done(step: Step, stamps: Stamps) -> bool:
    """Finished earlier with the same inputs, and still there."""
    return stamps.holds(step.key, step.fingerprint) and step.present()


def all_done(steps: Sequence[Step], stamps: Stamps) -> bool:
    """Whether nothing is left to do."""
    return all(is_done(step, stamps) for step in steps)


def run_plan(steps: Sequence[Step], stamps: Stamps, console: Console) -> None:
    """Do the steps in order, skipping the finished ones. Raises StepFailed; what is done stays done."""
    for number, step in enumerate(steps, start=1):
        console.begin(number, len(steps), step.title)
        try:
            if is_done(step, stamps):
                console.already()
                continue
            step.work()
        except StepPostponed as note:
            console.postpone(str(note))
            continue
        except StepError as error:
            console.fail()
            raise StepFailed(step.title, error) from error
        except OSError as error:
            console.fail()
            raise StepFailed(step.title, _disk_trouble(error)) from error
        stamps.write(step.key, step.fingerprint)
        console.done()


def _disk_trouble(error: OSError) -> StepError:

    return StepError(
        str(error), _("Free some space, or move the studio to a larger disk, then run this command again.")
    )
