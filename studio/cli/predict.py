"""``studio predict``: answers of a trained model that is no language model, for one input or a whole file."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from studio.cli import pick
from studio.cli.call import Answer, Call
from studio.cli.progress import ProgressLine
from studio.cli.verbs import Verbs
from studio.domain.architectures import Architecture
from studio.domain.predictions import asks_for, prediction_rows, prediction_words, unknown_user_words
from studio.domain.runs import Run
from studio.errors import StudioError
from studio.i18n import _
from studio.protocol.events import PredictedItem
from studio.services.files import write_atomically
from studio.services.predict_client import PredictClient
from studio.services.predict_inputs import read_inputs


def add_to(app: typer.Typer, verbs: Verbs) -> None:
    """Add the verb."""
    text = _("Ask a trained model that sorts, rates, recommends or draws.")
    verbs.add(app, predict, "predict", text)


def predict(
    call: Call,
    text: Annotated[
        list[str] | None, typer.Argument(help=_("Texts to answer, one or several."), show_default=False)
    ] = None,
    run: Annotated[
        str, typer.Option(help=_("Id or name of a finished run. Default: the newest."), show_default=False)
    ] = pick.NEWEST,
    file: Annotated[
        Path | None,
        typer.Option(
            help=_("CSV file with a column text, image, audio or user, or a text file: one answer for each row."),
            show_default=False,
        ),
    ] = None,
    image: Annotated[
        list[Path] | None, typer.Option(help=_("A picture; may be given several times."), show_default=False)
    ] = None,
    audio: Annotated[
        list[Path] | None, typer.Option(help=_("A recording; may be given several times."), show_default=False)
    ] = None,
    user: Annotated[
        list[str] | None,
        typer.Option(help=_("A user to recommend for; may be given several times."), show_default=False),
    ] = None,
    sample: Annotated[
        int | None, typer.Option(min=1, max=1024, help=_("Draw this many new pictures."), show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help=_("Of the drawing: the same seed draws the same."))] = 0,
    count: Annotated[int, typer.Option(min=1, max=1000, help=_("Items to recommend to each user."))] = 10,
    out: Annotated[
        Path | None, typer.Option(help=_("Write the answers as CSV; for drawing, the folder."), show_default=False)
    ] = None,
) -> Answer:  # fmt: skip
    """Load the model and answer all inputs at once."""
    with call.up_to_date() as (services, _ours):
        chosen = pick.run(services, run, finished=True)
        target = services.runs.chat_target(chosen.id)
        busy = bool(services.runs.active())
    _refuse_language_model(chosen)
    inputs = _inputs(text, file, image, audio, user, sample)
    _check(chosen.plan.spec.architecture, inputs)
    _complete(inputs, seed, count, out)
    with PredictClient(call.interrupts.cancelled) as client, ProgressLine(call.out) as progress:
        call.out.say(_("Loading {name}…").format(name=target.name))
        client.load(target, "cpu" if busy else "auto")
        answered = client.predict(inputs, progress)
    if out is not None and sample is None:
        write_atomically(out, _table(inputs, answered.predictions))
    for given, answer in zip(inputs, answered.predictions, strict=True):
        call.out.say(f"{_shown(given)}  →  {prediction_words(answer)}")
    if any(answer.unknown_user for answer in answered.predictions):
        call.out.say(unknown_user_words())
    found = [answer.model_dump(mode="json") for answer in answered.predictions]
    return Answer({"run": chosen.id, "seconds": answered.seconds, "predictions": found})


def _refuse_language_model(run: Run) -> None:
    if run.plan.spec.architecture is Architecture.LANGUAGE_MODEL:
        raise StudioError(
            "predict.language_model", _("“{name}” answers in conversation.").format(name=run.name),
            _("Use: {command}").format(command=f"studio chat --run {run.id}"),
        )  # fmt: skip


def _inputs(
    texts: Sequence[str] | None, file: Path | None, images: Sequence[Path] | None, sounds: Sequence[Path] | None,
    users: Sequence[str] | None, sample: int | None,
) -> list[dict[str, Any]]:  # fmt: skip
    given: list[dict[str, Any]] = [{"text": text} for text in texts or []]
    given += [{"image": str(_there(path))} for path in images or []]
    given += [{"audio": str(_there(path))} for path in sounds or []]
    given += [{"user": user} for user in users or []]
    given += [{"sample": sample}] if sample is not None else []
    given += read_inputs(file.expanduser()) if file is not None else []
    if not given:
        raise StudioError(
            "predict.nothing", _("There is nothing to answer."),
            _("For example: {example}").format(example='studio predict "…"  ·  --file F.csv  ·  --image F.png'),
        )  # fmt: skip
    return given


def _check(architecture: Architecture, inputs: list[dict[str, Any]]) -> None:
    wanted = asks_for(architecture)
    wrong = next((kind for given in inputs for kind in given if kind != wanted), None)
    if wrong is not None:
        options = {"text": "TEXT, --file", "image": "--image, --file", "audio": "--audio, --file",
                   "user": "--user, --file", "sample": "--sample"}  # fmt: skip
        raise StudioError(
            "predict.unfit_input", _("This model does not take that kind of input."),
            _("Give it: {options}").format(options=options[wanted]),
        )  # fmt: skip


def _complete(inputs: list[dict[str, Any]], seed: int, count: int, out: Path | None) -> None:
    for given in inputs:
        if "sample" in given:
            given.update({"seed": seed} | ({"folder": str(out.absolute())} if out else {}))
        if "user" in given:
            given["count"] = count


def _there(path: Path) -> Path:
    found = path.expanduser().absolute()
    if not found.is_file():
        raise StudioError("input.missing", _("The file {name} is not there.").format(name=path))
    return found


def _shown(given: dict[str, Any]) -> str:
    kind, value = next(iter(given.items()))
    if kind == "sample":
        return _("New pictures")
    return Path(value).name if kind in ("image", "audio") else str(value)


def _table(inputs: list[dict[str, Any]], answers: Sequence[PredictedItem]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(
        prediction_rows([_shown(given) for given in inputs], answers)
    )
    return text.getvalue()
