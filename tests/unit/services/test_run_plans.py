"""What a plan refuses before anything is started, and what it takes from the data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from studio.domain.architectures import Architecture, Method, architectures_for, methods_for
from studio.domain.basemodels import BaseModelInfo, BaseSource, base_kind
from studio.domain.datasets import Split
from studio.domain.shapes import Shape
from studio.domain.specs import TrainSpec
from studio.errors import StudioError
from studio.services.run_plans import PROBES, RunPlanner, check_choice
from tests.helpers import builders
from tests.helpers.model_folders import write_model
from tests.unit.services.conftest import FakePages, Studio

RAW = {
    Shape.PROMPT_RESPONSE: {"prompt": "Where is it?", "response": "There."},
    Shape.MESSAGES: {"messages": json.dumps([{"role": "user", "content": "Where is it?"}])},
    Shape.PREFERENCE: {"prompt": "Where is it?", "chosen": "There.", "rejected": "No."},
    Shape.THUMBS: {"prompt": "Where is it?", "response": "There.", "thumb": "up"},
    Shape.TEXT: {"text": "Where is it?"},
    Shape.TEXT_LABEL: {"text": "Where is it?", "label": "question"},
    Shape.TEXT_LABELS: {"text": "Where is it?", "labels": "[]"},
    Shape.TEXT_NUMBER: {"text": "Where is it?", "number": "3"},
    Shape.IMAGE_LABEL: {"image": "0.png", "label": "cat"},
    Shape.AUDIO_LABEL: {"audio": "0.wav", "label": "yes"},
    Shape.RATINGS: {"user": "u1", "item": "i1", "rating": "5", "time": "1"},
}


def spec_of(architecture: Architecture, method: Method, **fields: Any) -> TrainSpec:
    return TrainSpec(architecture=architecture, method=method, **fields)


@pytest.mark.parametrize("shape", Shape)
def test_every_offered_choice_is_accepted_and_every_other_refused(shape: Shape) -> None:
    fitting = {
        (architecture, method)
        for architecture in architectures_for(shape)
        for method in methods_for(architecture, shape)
    }
    for architecture in Architecture:
        for method in Method:
            if (architecture, method) in fitting:
                check_choice(shape, spec_of(architecture, method))
                continue
            with pytest.raises(StudioError) as caught:
                check_choice(shape, spec_of(architecture, method))
            unfit = "method" if architecture in architectures_for(shape) else "architecture"
            assert caught.value.code == f"run.unfit_{unfit}"
            assert "“" in caught.value.message
            assert caught.value.hint.startswith("Choose one of these: “")


@pytest.mark.parametrize("device", ["cpu", "mps"])
def test_qlora_on_a_device_that_cannot_is_refused_at_once(device: str) -> None:
    spec = spec_of(Architecture.LANGUAGE_MODEL, Method.QLORA, device=device)
    with pytest.raises(StudioError) as caught:
        check_choice(Shape.PROMPT_RESPONSE, spec)
    assert caught.value.code == "method.needs_gpu"


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        ({"architectures": ["LlamaForCausalLM"], "model_type": "llama"}, Architecture.LANGUAGE_MODEL),
        ({"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2"}, Architecture.LANGUAGE_MODEL),
        ({"architectures": ["BertModel"], "model_type": "bert"}, Architecture.ENCODER),
        ({"architectures": ["XLMRobertaForMaskedLM"], "model_type": "xlm-roberta"}, Architecture.ENCODER),
        ({"architectures": ["BertLMHeadModel"], "model_type": "bert"}, Architecture.LANGUAGE_MODEL),
        ({"architectures": ["ResNetForImageClassification"], "model_type": "resnet"}, Architecture.BACKBONE),
        ({"model_type": "vit"}, Architecture.BACKBONE),
        ({"architectures": ["SomethingNew"], "model_type": "new"}, None),
        ({"architectures": "LlamaForCausalLM"}, None),
        ({}, None),
    ],
)
def test_the_kind_of_a_base_is_told_by_its_config(config: dict[str, Any], kind: Architecture | None) -> None:
    assert base_kind(config) is kind


def planned(
    studio: Studio, shape: Shape, spec: TrainSpec, base: BaseModelInfo | None = None, **fields: Any
) -> Any:
    data = builders.dataset(shape=shape, **fields)
    builders.write_rows(studio.paths.dataset(data.id))
    studio.datasets.add(data)
    pages = FakePages([{"row": "1", "split": Split.VALIDATION.value, **RAW[shape]}])
    planner = RunPlanner(studio.datasets, pages, studio.paths, studio.jobs, power_kw=lambda: 0.3)
    return planner.plan(data.id, base, spec, None)


def base_in(folder: Path, architecture: str, family: str) -> BaseModelInfo:
    write_model(folder)
    (folder / "config.json").write_text(json.dumps({"architectures": [architecture], "model_type": family}))
    return BaseModelInfo(
        id="b", name="A base", path=str(folder), source=BaseSource.FOLDER, architecture=architecture, parameters=24,
        size_bytes=1,
    )  # fmt: skip


def test_an_encoder_needs_an_encoder(studio: Studio, tmp_path: Path) -> None:
    spec = spec_of(Architecture.ENCODER, Method.FULL)
    writer, reader = (
        base_in(tmp_path / "w", "LlamaForCausalLM", "llama"),
        base_in(tmp_path / "r", "BertModel", "bert"),
    )
    with pytest.raises(StudioError) as caught:
        planned(studio, Shape.TEXT_LABEL, spec, writer)
    assert caught.value.code == "model.unfit_kind"
    assert "Language model" in caught.value.message
    assert planned(studio, Shape.TEXT_LABEL, spec, reader).base_dir == reader.path
    with pytest.raises(StudioError) as caught:
        planned(studio, Shape.PROMPT_RESPONSE, spec_of(Architecture.LANGUAGE_MODEL, Method.LORA), reader)
    assert caught.value.code == "model.unfit_kind"


def test_a_base_of_a_kind_that_nobody_knows_is_tried(studio: Studio, tmp_path: Path) -> None:
    base = base_in(tmp_path / "n", "SomethingNew", "new")
    spec = spec_of(Architecture.LANGUAGE_MODEL, Method.LORA)
    assert planned(studio, Shape.PREFERENCE, spec, base).base_dir == base.path


def test_no_base_is_asked_for_where_none_is_used(studio: Studio, tmp_path: Path) -> None:
    base = base_in(tmp_path / "w", "LlamaForCausalLM", "llama")
    assert (
        planned(studio, Shape.RATINGS, spec_of(Architecture.FACTORS, Method.SCRATCH), base).base_dir is None
    )
    with pytest.raises(StudioError) as caught:
        planned(studio, Shape.PREFERENCE, spec_of(Architecture.LANGUAGE_MODEL, Method.LORA))
    assert caught.value.code == "run.no_base"


def test_an_unfit_choice_makes_no_plan(studio: Studio) -> None:
    with pytest.raises(StudioError) as caught:
        planned(studio, Shape.RATINGS, spec_of(Architecture.LANGUAGE_MODEL, Method.SCRATCH))
    assert caught.value.code == "run.unfit_architecture"


def test_the_weights_of_the_labels_come_from_the_data(studio: Studio) -> None:
    weights = {"complaint": 3.0, "praise": 0.5}
    spec = spec_of(Architecture.GRU, Method.SCRATCH)
    assert planned(studio, Shape.TEXT_LABEL, spec, class_weights=weights).class_weights == weights


@pytest.mark.parametrize("shape", Shape)
def test_probes_are_what_a_person_would_ask(shape: Shape, studio: Studio) -> None:
    architecture = architectures_for(shape)[-1]
    spec = spec_of(architecture, methods_for(architecture, shape)[0])
    base = base_in(studio.root / "b", "SomethingNew", "new")
    asked = {Shape.IMAGE_LABEL: [], Shape.AUDIO_LABEL: [], Shape.RATINGS: ["u1"]}.get(shape, ["Where is it?"])
    probes = planned(studio, shape, spec, base).probes
    assert probes == asked
    assert len(probes) <= PROBES
