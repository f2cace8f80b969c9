"""``studio demo``: the whole journey on this computer, with real figures at the end."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from studio.cli.call import Answer, Call
from studio.cli.progress import ProgressLine
from studio.cli.verbs import Verbs
from studio.domain.verdicts import next_sentence, sentence
from studio.i18n import _
from studio.services.demo import DemoResult, run_demo
from studio.words import duration_words


def add_to(app: typer.Typer, verbs: Verbs) -> None:
    """Add the verb."""
    verbs.add(
        app, demo, "demo", _("Import sample data, train on it, and see whether the answers got better.")
    )


def demo(
    call: Call,
    quick: Annotated[
        bool, typer.Option("--quick", help=_("A few updates only, to see that everything works."))
    ] = False,
) -> Answer:
    """Run the journey and report it."""
    with call.writing() as services:
        call.out.say(_("Workspace: {path}").format(path=services.paths.root))
        with ProgressLine(call.out) as progress:
            result = run_demo(services, quick, progress, call.interrupts.cancelled)
        data = facts(result, str(services.paths.root))
    _tell(call, result)
    return Answer(data)


def facts(result: DemoResult, workspace: str) -> dict[str, Any]:
    """The demo's figures, all measured in this very run. Losses: nats per token on held-out rows."""
    summary, verdict = result.run.summary, result.verdict
    return {
        "workspace": workspace, "dataset_id": result.dataset.id, "run_id": result.run.id,
        "rows_imported": result.dataset.rows, "estimate_seconds": result.estimate.seconds,
        "steps": summary.steps if summary else 0, "tokens_per_s": summary.tokens_per_s if summary else None,
        "train_seconds": summary.seconds if summary else None,
        "base_value": verdict.base_value, "tuned_value": verdict.tuned_value, "eval_rows": verdict.rows,
        "verdict": verdict.kind, "verdict_sentence": sentence(verdict), "next_sentence": next_sentence(verdict),
        "question": result.question, "answer_base": result.answer_base, "answer_tuned": result.answer_tuned,
        "seconds": result.seconds,
    }  # fmt: skip


def _tell(call: Call, result: DemoResult) -> None:
    say = call.out.say
    say()
    say(_("Question: {text}").format(text=result.question))
    say(_("Base model: {text}").format(text=result.answer_base))
    say(_("Trained model: {text}").format(text=result.answer_tuned))
    say()
    say(sentence(result.verdict))
    say(next_sentence(result.verdict))
    say(_("Time in all: {time}").format(time=duration_words(result.seconds)))
