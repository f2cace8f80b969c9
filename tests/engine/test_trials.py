"""A run that is one of several tries is judged on its validation rows alone."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from studio.domain.architectures import Method
from studio.domain.datasets import Split
from studio.engine.session import Session
from studio.protocol.events import Compared, Evaluated, Phase
from studio.worker.training import rows_of
from tests.engine.helpers import PlainControl, Recorder, chat_rows, make_plan


def test_a_trial_is_checked_but_never_compared(tiny_model_dir: Path, tmp_path: Path) -> None:
    plan = make_plan(tiny_model_dir, method=Method.LORA, max_steps=2, evals_per_epoch=1)
    plan = plan.model_copy(update={"compare": False, "probes": []})
    seen = Recorder()

    def rows(split: Split) -> Iterable[dict[str, Any]]:
        return () if split is Split.TEST else chat_rows(split)  # as the worker gives them

    summary = Session(plan, tmp_path, rows, seen, PlainControl()).run()
    assert seen.of(Compared) == []
    assert not {"base_evaluation", "comparing"} & {phase.name for phase in seen.of(Phase)}
    assert [check.step > 0 for check in seen.of(Evaluated)].count(False) == 0
    assert summary.best_eval_loss is not None
    assert (summary.base_value, summary.tuned_value) == (None, None)
    assert (tmp_path / "model").is_dir()


def test_the_worker_gives_a_trial_no_test_rows(tmp_path: Path) -> None:
    plan = make_plan(None, method=Method.SCRATCH).model_copy(
        update={"compare": False, "dataset_dir": str(tmp_path)}
    )
    assert list(rows_of(plan)(Split.TEST)) == [], "not even opened: there is no such file"
