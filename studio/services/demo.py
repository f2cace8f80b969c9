"""The whole journey in one call: sample data in, a fit check, a trained add-on out, a verdict, and one answer each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from studio.domain.basemodels import BaseModelInfo
from studio.domain.datasets import DatasetVersion
from studio.domain.runs import ENDED, FitEstimate, Run, RunPlan, RunState
from studio.domain.sampling import Sampling
from studio.domain.specs import Preset, preset_spec
from studio.domain.verdicts import Verdict
from studio.errors import StudioError
from studio.i18n import _
from studio.protocol.commands import ChatMessage
from studio.protocol.events import Event
from studio.services.chat_client import ChatClient
from studio.services.children import JobCancelled
from studio.services.container import Services
from studio.services.models import ModelService
from studio.services.run_plans import sample_probes

QUICK_STEPS = 20
QUICK_LENGTH = 256  # tokens; the sample's longest row has fewer
MAX_MINUTES = 8.0  # of training, so that the whole demo stays under a quarter of an hour on a slow computer
POLL_S = 0.1
CANCEL_PATIENCE_S = 20.0
_SAMPLING = Sampling(temperature=0, max_new_tokens=80)


@dataclass(frozen=True)
class DemoResult:
    """What the demo made; the answers are the base model's and the tuned model's to ``question``.

    seconds: of the whole journey, the wall clock.
    """

    dataset: DatasetVersion
    estimate: FitEstimate
    run: Run
    verdict: Verdict
    question: str
    answer_base: str
    answer_tuned: str
    seconds: float


def run_demo(
    services: Services,
    quick: bool = False,
    on_event: Callable[[Event], None] | None = None,
    cancel: threading.Event | None = None,
) -> DemoResult:
    """Import the English sample, check the fit, train a LoRA add-on on the default base, judge it, ask both.

    quick: a few updates and no answers in between, to see that everything works. Raises StudioError, JobCancelled.
    """
    started = time.monotonic()
    cancel = cancel or threading.Event()
    base = default_base(services.models)
    dataset = services.datasets.import_sample("en", on_event, cancel)
    product = services.matrices.open_sample("en").core
    product_id = services.matrices.set_dataset(product.id, dataset.id).id if product else None
    plan = _plan(services, product_id, dataset, base, quick)
    estimate = services.runs.check(plan, on_event, cancel)
    run = wait_for(services, services.runs.enqueue(plan, product_id, estimate), on_event, cancel)
    verdict = services.runs.verdict(run.id)
    if verdict is None:
        raise StudioError(
            "demo.no_verdict", _("The run ended without a comparison."), _("Look at the run's details.")
        )
    question = (sample_probes("en") or plan.probes)[0]
    before, after = _answers(services, run, base, question, cancel)
    seconds = time.monotonic() - started
    return DemoResult(dataset, estimate, run, verdict, question, before, after, seconds)


def default_base(models: ModelService) -> BaseModelInfo:
    """The base model that the installer leaves. Raises StudioError ``model.no_default`` when it is not there."""
    base = models.default()
    if base is None:
        raise StudioError(
            "model.no_default",
            _("The default base model is not installed."),
            _("Run: {command}").format(command="python3 installer/bootstrap.py run"),
        )
    return base


def wait_for(
    services: Services, run: Run, on_event: Callable[[Event], None] | None, cancel: threading.Event
) -> Run:
    """Look after the queue until ``run`` is done (for a caller without a follower thread).

    Raises StudioError with the run's own error when it failed; JobCancelled, once it is gone, when cancelled.
    """
    give_up: float | None = None
    while (run := services.runs.get(run.id)).state not in ENDED and run.state is not RunState.INTERRUPTED:
        for run_id, events in services.runs.poll():
            for event in events:
                if on_event is not None and run_id == run.id:
                    on_event(event)
        if cancel.is_set() and give_up is None:
            give_up = time.monotonic() + CANCEL_PATIENCE_S
            services.runs.cancel(run.id)
        if give_up is not None and time.monotonic() > give_up:
            break
        time.sleep(POLL_S)
    if cancel.is_set():
        raise JobCancelled
    if run.state is not RunState.DONE:
        raise StudioError(
            run.error_code or "demo.not_done", run.error_message or _("The run did not finish.")
        )
    return run


def _plan(
    services: Services, product_id: str | None, dataset: DatasetVersion, base: BaseModelInfo, quick: bool
) -> RunPlan:
    limits: dict[str, object] = {"max_minutes": MAX_MINUTES}
    if quick:
        limits = {"max_steps": QUICK_STEPS, "max_length": QUICK_LENGTH}
    spec = preset_spec(Preset.QUICK if quick else Preset.BALANCED).model_copy(update=limits)
    plan = services.runs.plan(product_id, dataset.id, base, spec, _("Demo"))
    plan = plan.model_copy(
        update={"outlive": False}
    )  # nobody would look for what a closed demo goes on doing
    return plan.model_copy(update={"probes": []}) if quick else plan


def _answers(
    services: Services, run: Run, base: BaseModelInfo, question: str, cancel: threading.Event
) -> tuple[str, str]:
    """The answers of base and tuned model, the likeliest word each time, so that they can be repeated."""
    messages = [ChatMessage(role="user", content=question)]
    texts = []
    with ChatClient(cancel) as chat:
        for target in (services.runs.chat_target(None, base), services.runs.chat_target(run.id)):
            chat.load(target)
            texts.append(chat.ask(messages, _SAMPLING).text)
    return texts[0], texts[1]
