"""The whole journey in one call: sample data in, a trained add-on out, a verdict, and one answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from studio.domain.runs import ENDED, Run, RunState
from studio.domain.sampling import Sampling
from studio.domain.specs import Preset, TrainSpec, preset_spec
from studio.domain.verdicts import Verdict
from studio.errors import StudioError
from studio.i18n import _
from studio.protocol.commands import ChatMessage, Generate, Load
from studio.protocol.events import TERMINAL, Answered, Event, Failed, RequestFailed
from studio.services.children import JobCancelled, JobFailed, WorkerProcess
from studio.services.container import Services
from studio.services.run_plans import sample_probes
from studio.services.runs import ChatTarget

QUICK_STEPS = 12
POLL_S = 0.1
ANSWER_TIMEOUT_S = 300


@dataclass(frozen=True)
class DemoResult:
    """What the demo made; ``answer`` is the tuned model's to ``question``."""

    run: Run
    verdict: Verdict
    question: str
    answer: str


def run_demo(
    services: Services,
    quick: bool = False,
    on_event: Callable[[Event], None] | None = None,
    cancel: threading.Event | None = None,
) -> DemoResult:
    """Import the English sample, train a LoRA add-on on the default base model, judge it, and ask it something.

    quick: a dozen updates on short rows, to see that everything works. Raises StudioError, JobCancelled.
    """
    cancel = cancel or threading.Event()
    base = services.models.default()
    if base is None:
        raise StudioError(
            "demo.no_base", _("The default base model is not installed."), _("Run the installer again.")
        )
    matrix = services.matrices.open_sample("en")
    dataset = services.datasets.import_sample("en", on_event, cancel)
    product = matrix.core
    product_id = product.id if product else None
    if product_id:
        services.matrices.set_dataset(product_id, dataset.id)
    plan = services.runs.plan(product_id, dataset.id, base, _spec(quick), _("Demo"))
    run = wait_for(services, services.runs.enqueue(plan, product_id), on_event, cancel)
    verdict = services.runs.verdict(run.id)
    if verdict is None:
        raise StudioError(
            "demo.no_verdict", _("The run ended without a comparison."), _("Look at the run's details.")
        )
    question = (sample_probes("en") or plan.probes)[0]
    answer = ask(services.runs.chat_target(run.id), question, cancel)
    return DemoResult(run, verdict, question, answer)


def wait_for(
    services: Services, run: Run, on_event: Callable[[Event], None] | None, cancel: threading.Event
) -> Run:
    """Look after the queue until ``run`` is done (for a caller without a follower thread). Raises StudioError."""
    while (run := services.runs.get(run.id)).state not in ENDED:
        if run.state is RunState.INTERRUPTED:
            break
        for _run_id, events in services.runs.poll():
            for event in events if on_event else ():
                on_event(event) if on_event else None
        if cancel.wait(POLL_S):
            services.runs.cancel(run.id)
            raise JobCancelled
    if run.state is not RunState.DONE:
        raise StudioError(
            run.error_code or "demo.not_done", run.error_message or _("The run did not finish.")
        )
    return run


def ask(target: ChatTarget, question: str, cancel: threading.Event) -> str:
    """One answer from a chat worker of its own, the likeliest word each time. Raises StudioError, JobCancelled."""
    answered: list[str] = []
    problems: list[Failed | RequestFailed] = []
    settled = threading.Event()

    def hear(event: Event) -> None:
        if isinstance(event, Answered):
            answered.append(event.text)
        elif isinstance(event, (Failed, RequestFailed)):
            problems.append(event)
        if isinstance(event, (Answered, RequestFailed, *TERMINAL)):
            settled.set()

    worker = WorkerProcess(["chat"], on_event=hear)
    try:
        worker.send(
            Load(slot="a", name=target.name, base_dir=target.base_dir, adapter_dir=target.adapter_dir)
        )
        messages = [ChatMessage(role="user", content=question)]
        sampling = Sampling(temperature=0, max_new_tokens=80)
        worker.send(Generate(request_id="demo", slot="a", messages=messages, sampling=sampling))
        waited = 0.0
        while not settled.wait(POLL_S) and waited < ANSWER_TIMEOUT_S:
            waited += POLL_S
            if cancel.is_set():
                raise JobCancelled
    finally:
        worker.close()
    if problems and not answered:
        raise JobFailed(Failed(code=problems[0].code, message=problems[0].message, hint=problems[0].hint))
    if not answered:
        raise StudioError("demo.no_answer", _("The model did not answer in time."), _("Try again."))
    return answered[0]


def _spec(quick: bool) -> TrainSpec:
    spec = preset_spec(Preset.QUICK)
    return spec.model_copy(update={"max_steps": QUICK_STEPS, "max_length": 256}) if quick else spec
