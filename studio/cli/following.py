"""Looks after one run until it ends, and says how it went; for every verb that starts a run."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from studio.cli.call import Answer, Call
from studio.cli.output import error_facts
from studio.cli.progress import ProgressLine
from studio.cli.verbs import INTERRUPTED
from studio.domain.runs import ENDED, STATE_TITLES, Run, RunState
from studio.domain.shapes import TEXT_SHAPES
from studio.domain.verdicts import Verdict, next_sentence, sentence
from studio.errors import StudioError
from studio.i18n import _
from studio.services.container import Services
from studio.words import duration_words, loss_words, size_words, speed_words

POLL_S = 0.1
START_PATIENCE_S = 15.0
_MACHINE = frozenset({"run.out_of_memory", "run.disk_full", "run.no_disk"})  # what this computer lacks


def follow(call: Call, services: Services, run: Run) -> Run:
    """Show the run until it ends. Ctrl+C once: stop and keep the model; twice: cancel."""
    call.interrupts.allow(2)
    heeded = 0
    with ProgressLine(call.out, reads_text=run.plan.shape in TEXT_SHAPES) as progress:
        while (run := services.runs.get(run.id)).state not in ENDED and run.state is not RunState.INTERRUPTED:
            for run_id, events in services.runs.poll():
                for event in events if run_id == run.id else ():
                    progress(event)
            if call.interrupts.count > heeded:
                heeded = call.interrupts.count
                _heed(call, services, run, heeded)
            time.sleep(POLL_S)
    return run


def launched(services: Services, run: Run) -> Run:
    """Let the run start and look whether it did; it stays queued when another one is under way."""
    deadline = time.monotonic() + START_PATIENCE_S
    while time.monotonic() < deadline:
        services.runs.poll()
        run = services.runs.get(run.id)
        others = [other for other in services.runs.active() if other.id != run.id]
        if run.state is not RunState.QUEUED or others:
            break
        time.sleep(POLL_S)
    return run


def ended(call: Call, services: Services, run: Run) -> Answer:
    """The end of a run in words, as JSON, and as an exit code."""
    data = facts(services, run)
    if run.state is RunState.DONE:
        _tell_success(call, services, run)
        return Answer(data, INTERRUPTED if call.interrupts.count else 0)
    if run.state is RunState.CANCELLED:
        call.out.say(_("Cancelled. Nothing of it was kept."))
        return Answer(data, INTERRUPTED)
    problem = StudioError(
        run.error_code or "run.failed", run.error_message or _("The run did not finish."),
        _("Go on from the last checkpoint: {command}").format(command=f"studio runs resume {run.id}"),
    )  # fmt: skip
    call.out.complain(problem)
    return Answer({**data, "error": error_facts(problem)}, _failure_code(run))


def facts(services: Services, run: Run) -> dict[str, Any]:
    """A run for programs: plan, state, what was measured, and the verdict."""
    plan, verdict = run.plan, services.runs.verdict(run.id)
    return {
        "run_id": run.id, "name": run.name, "state": run.state, "product_id": run.product_id,
        "dataset_id": plan.dataset_id, "dataset_name": plan.dataset_name, "base": plan.base_name,
        "spec": plan.spec.model_dump(mode="json"), "placement": plan.placement.model_dump(mode="json"),
        "step": run.step, "total_steps": run.total_steps,
        "last_loss": run.last_loss, "eta_s": run.eta_s, "created_at": run.created_at, "started_at": run.started_at,
        "ended_at": run.ended_at, "error_code": run.error_code, "error_message": run.error_message,
        "folder": str(services.paths.run(run.id)), "summary": asdict(run.summary) if run.summary else None,
        "estimate": run.estimate.model_dump(mode="json") if run.estimate else None, "verdict": verdict_facts(verdict),
    }  # fmt: skip


def verdict_facts(verdict: Verdict | None) -> dict[str, Any] | None:
    """The verdict with its sentences; None while there is none."""
    if verdict is None:
        return None
    return {
        **verdict.model_dump(mode="json"), "sentence": sentence(verdict), "next_sentence": next_sentence(verdict),
    }  # fmt: skip


def tell_run(call: Call, services: Services, run: Run) -> None:
    """A run for a person."""
    say = call.out.say
    say(f"{run.name} · {_(STATE_TITLES[run.state])} · {run.id}")
    say(_("Data: {name}").format(name=run.plan.dataset_name))
    say(_("Base model: {text}").format(text=run.plan.base_name))
    if run.total_steps:
        say(_("Step {step} of {total}, loss {loss}").format(
            step=run.step, total=run.total_steps, loss=loss_words(run.last_loss)
        ))  # fmt: skip
    if run.error_message:
        say(run.error_message)
    if run.summary is not None:
        _tell_success(call, services, run)


def _tell_success(call: Call, services: Services, run: Run) -> None:
    say, summary, verdict = call.out.say, run.summary, services.runs.verdict(run.id)
    if summary is not None:
        speed = speed_words(summary.tokens_per_s, reads_text=run.plan.shape in TEXT_SHAPES)
        say(_("{steps} updates in {time}, {speed}. Model: {path}").format(
            steps=f"{summary.steps:,}", time=duration_words(summary.seconds), speed=speed,
            path=services.paths.run(run.id) / summary.model_path,
        ))  # fmt: skip
    if summary is not None and run.estimate is not None:
        say(_("Predicted: {low} to {high}, {memory} of memory. Measured: {time}, {used}.").format(
            low=duration_words(run.estimate.seconds_low), high=duration_words(run.estimate.seconds_high),
            memory=size_words(run.estimate.memory_bytes), time=duration_words(summary.total_s),
            used=size_words(summary.peak_memory_bytes),
        ))  # fmt: skip
    if verdict is not None:
        say(sentence(verdict))
        say(next_sentence(verdict))


def _heed(call: Call, services: Services, run: Run, count: int) -> None:
    try:
        if count == 1:
            call.out.say(_("Stopping after this step; the model is kept. Ctrl+C again drops it."))
            services.runs.stop(run.id)
        else:
            call.out.say(_("Cancelling; nothing of this run is kept."))
            services.runs.cancel(run.id)
    except StudioError as problem:  # it ended in the meantime
        call.out.say(problem.message)


def _failure_code(run: Run) -> int:
    if run.error_code in _MACHINE:
        return 3
    return 1 if run.error_code.startswith("worker.") or run.state is RunState.INTERRUPTED else 2
