"""``studio train``: one training run in the foreground, or started and left to itself."""

from __future__ import annotations

from typing import Annotated

import typer

from studio.cli import following, pick
from studio.cli.call import Answer, Call
from studio.cli.folds import train_folds
from studio.cli.generated import assignments, validated
from studio.cli.progress import ProgressLine
from studio.cli.verbs import Verbs
from studio.domain.architectures import Architecture, architectures_for, methods_for, needs_base
from studio.domain.basemodels import BaseModelInfo, no_encoder_knows
from studio.domain.datasets import Split
from studio.domain.products import Task
from studio.domain.runs import FitEstimate, Placement, Run, RunPlan, RunState
from studio.domain.shapes import TEXT_SHAPES, Shape
from studio.domain.specs import Preset, TrainSpec, preset_spec
from studio.domain.task_fit import unfit_words
from studio.i18n import N_, _
from studio.services.container import Services
from studio.words import duration_words, energy_words, size_words, speed_words

NOT_READY = 3


Cluster = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help=N_("Train as a job on this Ray cluster, such as ray://head:10001."),
        show_default=False,
    ),
]


def add_to(app: typer.Typer, verbs: Verbs) -> None:
    """Add the verb."""
    text = _("Train a model on imported data. Ctrl+C once stops and keeps the model, twice drops it.")
    verbs.add(app, train, "train", text, generated=TrainSpec)


def train(
    call: Call,
    options: dict[str, object],
    dataset: Annotated[
        str | None, typer.Option(help=_("Id or name of the data. Default: the newest."), show_default=False)
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            help=_("Base model: id, name, folder or GGUF file. Default: the installed one."),
            show_default=False,
        ),
    ] = None,
    preset: Annotated[Preset, typer.Option(help=_("Settings to start from."))] = Preset.BALANCED,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help=_("Any setting by name."), show_default=False),
    ] = None,
    product: Annotated[
        str | None, typer.Option(help=_("Product (id or name) that the model is for."), show_default=False)
    ] = None,
    name: Annotated[str | None, typer.Option(help=_("Name of the run."), show_default=False)] = None,
    detach: Annotated[
        bool, typer.Option("--detach", help=_("Start it and return; it goes on by itself."))
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help=_("Only measure what it would take; train nothing."))
    ] = False,
    processes: Annotated[
        int, typer.Option(min=1, max=64, help=_("Share each batch among so many processes on this computer."))
    ] = 1,
    cluster: Cluster = None,
    shared_folders: Annotated[
        bool, typer.Option("--shared-folders", help=_("The cluster sees these folders: nothing is sent."))
    ] = False,
    folds: Annotated[
        int | None,
        typer.Option(
            help=_("Train so many times, each time checked on another part of the rows: mean and deviation."),
            show_default=False,
        ),
    ] = None,
) -> Answer:
    """Plan the run, then check, start or follow it."""
    fields = {**assignments(set_ or []), **options}
    where = placed(processes, cluster, shared_folders=shared_folders)
    with call.writing() as services:
        plan, product_id = planned(call, services, preset, fields, dataset, base, product, name, where)
        if check:
            return _check(call, services, plan)
        if folds is not None:
            return train_folds(call, services, plan, folds, detach=detach)
        run = services.runs.enqueue(plan, product_id)
        if product_id is not None and run.product_id is None:
            call.out.say(unfit_words(run.name))
        if detach:
            return detached(call, services, run)
        return following.ended(call, services, following.follow(call, services, run))


def placed(processes: int, cluster: str | None, *, shared_folders: bool = False) -> Placement:
    """Where the options ask for the run."""
    if cluster is not None:
        return Placement(kind="ray", address=cluster, processes=processes, shared_folders=shared_folders)
    return Placement(kind="processes", processes=processes) if processes > 1 else Placement()


def spec_of(
    preset: Preset, fields: dict[str, object], shape: Shape | None = None, task: Task | None = None,
    rows: int | None = None, *, encoder_last: bool = False,
) -> TrainSpec:  # fmt: skip
    """The preset's settings for the kind of model and the method, with these fields instead.

    A kind or method that is not named is the advised one for data of ``shape`` and a product's ``task``; rows: see
    preset_spec; encoder_last: see architectures_for. Raises StudioError in plain words.
    """
    asked = validated(
        TrainSpec, {name: fields[name] for name in ("architecture", "method") if name in fields}
    )
    kinds = (
        architectures_for(shape, task, encoder_last=encoder_last) if shape else (Architecture.LANGUAGE_MODEL,)
    )
    architecture = asked.architecture if "architecture" in fields else kinds[0]
    method = asked.method if "method" in fields else methods_for(architecture, shape)[0]
    return validated(
        TrainSpec, {**preset_spec(preset, method, architecture, shape, rows).model_dump(), **fields}
    )


def detached(call: Call, services: Services, run: Run) -> Answer:
    """Start the run and leave it; it outlives this command."""
    run = following.launched(services, run)
    if run.state in (RunState.FAILED, RunState.INTERRUPTED):
        return following.ended(call, services, run)
    if run.state is RunState.QUEUED:
        call.out.say(
            _(
                "“{name}” waits: another run is under way. An open window starts it then by itself; here: {command}"
            ).format(name=run.name, command=f"studio runs resume {run.id}")
        )
    else:
        call.out.say(_("“{name}” is under way, id {id}.").format(name=run.name, id=run.id))
        call.out.say(_("See how it goes: {command}").format(command=f"studio runs show {run.id}"))
    return Answer(following.facts(services, run))


def planned(
    call: Call, services: Services, preset: Preset, fields: dict[str, object], dataset: str | None,
    base: str | None, product: str | None, name: str | None, where: Placement | None = None,
) -> tuple[RunPlan, str | None]:  # fmt: skip
    """What is trained, with the settings of a preset and these fields instead; and the product that it is for."""
    chosen = pick.product(services.matrices.list(), product) if product else None
    wanted = dataset or (chosen.dataset_id if chosen else None) or pick.NEWEST
    data = pick.dataset(services, wanted)
    task, rows = chosen.task if chosen else None, data.splits.get(Split.TRAIN)
    foreign = no_encoder_knows(services.models.available(), data.languages)
    spec = spec_of(preset, fields, data.shape, task, rows, encoder_last=foreign)
    model: BaseModelInfo | None = None
    if needs_base(spec.architecture, spec.method):
        with ProgressLine(call.out) as progress:
            model = pick.base(services.models, base, progress, call.interrupts.cancelled, spec.architecture)
        if warning := services.models.language_warning(model, data):
            call.out.say(warning)
    product_id = chosen.id if chosen else None
    return services.runs.plan(product_id, data.id, model, spec, name, where), product_id


def _check(call: Call, services: Services, plan: RunPlan) -> Answer:
    with ProgressLine(call.out) as progress:
        estimate = services.runs.check(plan, progress, call.interrupts.cancelled)
    _tell_estimate(call, estimate, reads_text=plan.shape in TEXT_SHAPES)
    return Answer(estimate.model_dump(mode="json"), 0 if estimate.ready else NOT_READY)


def _tell_estimate(call: Call, estimate: FitEstimate, *, reads_text: bool) -> None:
    say = call.out.say
    say(_("It fits this computer.") if estimate.ready else _("It does not fit this computer."))
    for problem in estimate.problems:
        say(f"  {problem}")
    say(_("Time: about {time} ({low} to {high})").format(
        time=duration_words(estimate.seconds), low=duration_words(estimate.seconds_low),
        high=duration_words(estimate.seconds_high),
    ))  # fmt: skip
    say(_("Updates: {steps}; speed: {speed} on {device}").format(
        steps=f"{estimate.steps:,}", speed=speed_words(estimate.tokens_per_s, reads_text=reads_text),
        device=estimate.device,
    ))  # fmt: skip
    say(_("Memory: {need} of {free} free").format(
        need=size_words(estimate.memory_bytes), free=size_words(estimate.memory_available_bytes)
    ))  # fmt: skip
    say(_("Disk: {need} of {free} free").format(
        need=size_words(estimate.disk_bytes), free=size_words(estimate.disk_free_bytes)
    ))  # fmt: skip
    if estimate.energy_kwh_high > 0:
        energy = energy_words(estimate.energy_kwh_low, estimate.energy_kwh_high)
        say(_("Energy: {energy} (assumed power of this computer)").format(energy=energy))
