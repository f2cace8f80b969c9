"""The Train page for every kind of model, driven as a person would."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from studio.domain.architectures import Architecture, Method, architectures_for
from studio.domain.basemodels import BaseModelInfo
from studio.domain.datasets import DatasetVersion
from studio.domain.products import Matrix, Task
from studio.domain.runs import Proposal
from studio.domain.shapes import Shape
from studio.domain.sizes import model_size
from studio.domain.specs import Preset, applies
from studio.gui.context import GuiContext
from studio.gui.dialogs.product import ProductDialog
from studio.gui.pages.train import TrainPage
from studio.gui.pages.train.choices import Choices
from studio.gui.pages.train.data_card import DataCard
from studio.gui.pages.train.get_model import GetModelDialog
from studio.protocol.events import BatchPreview, PreviewToken
from tests.gui.runs_fakes import (
    FakeModels,
    FakeRuns,
    make_base,
    make_dataset,
    make_entry,
    make_estimate,
    make_services,
)

LEFT = Qt.MouseButton.LeftButton


def dataset_of(shape: Shape, name: str = "", **more: Any) -> DatasetVersion:
    return make_dataset(name or shape.value).model_copy(update={"shape": shape, **more})


def encoder() -> BaseModelInfo:
    return make_base("MiniLM").model_copy(update={"kind": Architecture.ENCODER})


@pytest.fixture
def runs() -> FakeRuns:
    return FakeRuns()


@pytest.fixture
def models() -> FakeModels:
    language = make_base().model_copy(update={"kind": Architecture.LANGUAGE_MODEL})
    entries = [make_entry("Qwen", ("zh", "en")), make_entry("ResNet", ())]
    entries[1] = entries[1].model_copy(update={"kind": Architecture.BACKBONE})
    return FakeModels([language, encoder()], entries)


@pytest.fixture
def open_page(
    qtbot: QtBot, make_context: Callable[..., GuiContext], runs: FakeRuns, models: FakeModels
) -> Iterator[Callable[..., TrainPage]]:
    made: list[TrainPage] = []

    def show(*datasets: DatasetVersion, **more: Any) -> TrainPage:
        services = make_services(runs, models=models)
        services["datasets"].found[:] = list(datasets)
        services["datasets"].image_path = more.get("image_path")
        page = TrainPage(make_context(**services))
        made.append(page)
        qtbot.addWidget(page)
        page.resize(1072, 1400)
        page.show()
        page.enter(dataset_id=datasets[0].id)
        qtbot.waitUntil(lambda: page.choices.dataset is not None, timeout=5000)
        return page

    yield show
    for page in made:
        page.leave()
        page.dispose()


def shown(page: TrainPage) -> list[Architecture]:
    return [kind for kind, card in page.kind.kinds.cards.items() if card.isVisible()]


@pytest.mark.parametrize("shape", list(Shape))
def test_every_shape_offers_its_kinds_with_the_advised_one_chosen(
    open_page: Callable[..., TrainPage], shape: Shape
) -> None:
    page = open_page(dataset_of(shape))
    fitting = architectures_for(shape)
    assert page.choices.spec.architecture is fitting[0]
    if fitting == (Architecture.LANGUAGE_MODEL,):
        assert not page.kind.isVisible()
    else:
        assert set(shown(page)) == set(fitting)
        assert page.kind.kinds.cards[fitting[0]].isChecked()
        assert all(page.kind.kinds.cards[kind].accessibleDescription() for kind in fitting)


def test_where_no_encoder_knows_the_language_it_is_not_advised(
    open_page: Callable[..., TrainPage], models: FakeModels
) -> None:
    page = open_page(dataset_of(Shape.TEXT_LABEL, languages={"zh": 1.0}))
    assert page.choices.kinds()[0] is Architecture.TRANSFORMER
    assert page.choices.kinds()[-1] is Architecture.ENCODER
    assert page.choices.spec.architecture is Architecture.TRANSFORMER
    chinese = encoder().model_copy(update={"path": "/models/zh", "languages": ("zh",)})
    choices = Choices(dataset=page.choices.dataset).fitted([*models.models, chinese])
    assert (choices.spec.architecture, choices.base) == (Architecture.ENCODER, chinese)


def test_a_product_that_does_something_else_is_told(qtbot: QtBot) -> None:
    card = DataCard()
    qtbot.addWidget(card)
    card.show()
    pictures = dataset_of(Shape.IMAGE_LABEL)
    card.show_choices(Choices(dataset=pictures, task=Task.CHAT))
    assert card.unfit.isVisible()
    assert "Recognises pictures" in card.unfit.text()
    card.show_choices(Choices(dataset=pictures, task=Task.CLASSIFY_IMAGES))
    assert not card.unfit.isVisible()


def test_data_of_another_shape_switches_to_the_advised_kind(
    qtbot: QtBot, open_page: Callable[..., TrainPage]
) -> None:
    page = open_page(dataset_of(Shape.TEXT_LABEL), dataset_of(Shape.RATINGS))
    assert page.choices.base is not None
    assert page.choices.base.name == "MiniLM"
    page.data.combo.setFocus()
    qtbot.keyClick(page.data.combo, Qt.Key.Key_Down)
    page.data.combo.activated.emit(page.data.combo.currentIndex())
    assert page.choices.shape is Shape.RATINGS
    assert page.choices.spec.architecture is Architecture.FACTORS
    assert not page.base.isVisible()
    assert page.preview.start.text() == "Start training"
    assert page.choices.preset() is Preset.BALANCED


def test_only_base_models_of_the_kind_are_listed_and_offered(
    qtbot: QtBot, open_page: Callable[..., TrainPage], models: FakeModels
) -> None:
    page = open_page(dataset_of(Shape.TEXT_LABEL), dataset_of(Shape.IMAGE_LABEL))
    assert [card.accessibleName() for card in page.base.buttons()] == ["MiniLM"]
    assert not page.base.gguf.isVisible()
    page.data.chosen.emit(page.shelf.datasets[1])
    qtbot.mouseClick(page.kind.kinds.cards[Architecture.BACKBONE], LEFT)
    assert page.base.none_here.isVisible()
    assert page.preview.start.text() == "Choose a base model first"
    qtbot.mouseClick(page.base.hub, LEFT)
    dialog = page.findChild(GetModelDialog)
    assert dialog is not None
    assert [card.accessibleName() for card in dialog.buttons()] == ["ResNet"]
    dialog.reject()


def test_a_kind_from_scratch_by_keys_counts_its_parameters(
    qtbot: QtBot, open_page: Callable[..., TrainPage]
) -> None:
    page = open_page(dataset_of(Shape.TEXT_LABEL, labels={"a": 5, "b": 5, "c": 5}))
    card = page.kind.kinds.cards[Architecture.GRU]
    card.setFocus()
    qtbot.keyClick(card, Qt.Key.Key_Space)
    assert page.choices.spec.method is Method.SCRATCH
    assert not page.base.isVisible()
    assert not page.method.methods.isVisible()
    box = page.method.forms["model"].form.input("layers")
    box.setFocus()
    qtbot.keyClick(box, Qt.Key.Key_Up)
    size = model_size(page.choices.spec, 3)
    assert page.choices.spec.layers == 2
    assert f"{size.parameters:,}" in page.method.parameters.text()


def test_recommenders_say_what_each_user_and_item_takes(open_page: Callable[..., TrainPage]) -> None:
    page = open_page(dataset_of(Shape.RATINGS))
    assert "33 parameters for each user and each item" in page.method.parameters.text()


@pytest.mark.parametrize("shape", [Shape.TEXT_LABEL, Shape.IMAGE_LABEL, Shape.RATINGS, Shape.AUDIO_LABEL])
def test_advanced_shows_exactly_the_fields_that_apply(
    qtbot: QtBot, open_page: Callable[..., TrainPage], shape: Shape
) -> None:
    page = open_page(dataset_of(shape))
    for kind in architectures_for(shape):
        qtbot.mouseClick(page.kind.kinds.cards[kind], LEFT)
        qtbot.mouseClick(page.level._buttons["advanced"], LEFT)
        for form in (*page.method.forms.values(), page.limits.form):
            for name in form.fields:
                visible = form.form._rows[name].isVisible()
                assert visible is applies(name, page.choices.spec, page.choices.shape), (kind, name)


def test_simple_asks_a_classifier_about_rare_labels_only(
    qtbot: QtBot, open_page: Callable[..., TrainPage]
) -> None:
    page = open_page(dataset_of(Shape.TEXT_LABEL))
    form = page.method.forms["settings"]
    assert [name for name in form.fields if form.form._rows[name].isVisible()] == ["balance_labels"]
    switch = form.form.input("balance_labels")
    qtbot.waitUntil(lambda: switch.rect().isValid())  # it is laid out in the next turn of the loop
    qtbot.mouseClick(switch, LEFT)
    assert page.choices.spec.balance_labels


def test_methods_of_an_encoder(qtbot: QtBot, open_page: Callable[..., TrainPage]) -> None:
    page = open_page(dataset_of(Shape.TEXT_LABEL))
    qtbot.mouseClick(page.method.methods.cards[Method.FROZEN], LEFT)
    assert page.choices.spec.method is Method.FROZEN
    assert page.choices.spec.learning_rate == 1e-3
    assert page.choices.base is not None


def test_experts_methods_appear_in_advanced(qtbot: QtBot, open_page: Callable[..., TrainPage]) -> None:
    page = open_page(dataset_of(Shape.PROMPT_RESPONSE))
    assert not page.method.methods.cards[Method.DORA].isVisible()
    qtbot.mouseClick(page.level._buttons["advanced"], LEFT)
    qtbot.mouseClick(page.method.methods.cards[Method.DORA], LEFT)
    qtbot.mouseClick(page.level._buttons["simple"], LEFT)
    assert page.method.methods.cards[Method.DORA].isVisible()  # what is chosen is never hidden


def test_a_product_that_draws_gets_the_model_that_draws() -> None:
    choices = Choices(dataset=dataset_of(Shape.IMAGE_LABEL), task=Task.DRAW_IMAGES).fitted([])
    assert choices.spec.architecture is Architecture.VAE
    assert choices.kinds() == (Architecture.VAE,)


def test_the_first_pictures_are_shown_with_their_labels(
    qtbot: QtBot, runs: FakeRuns, open_page: Callable[..., TrainPage], tmp_path: Any, monkeypatch: Any
) -> None:
    QImage(8, 8, QImage.Format.Format_RGB32).save(str(tmp_path / "a.png"))
    rows = [
        [PreviewToken(text="a.png", trained=False), PreviewToken(text=" → circle", trained=True)],
        [PreviewToken(text="a.png", trained=False), PreviewToken(text=" → star", trained=True)],
    ]
    monkeypatch.setattr("tests.gui.runs_fakes.make_preview", lambda: BatchPreview(rows=rows))
    page = open_page(dataset_of(Shape.IMAGE_LABEL), image_path=lambda name: tmp_path / name)
    qtbot.waitUntil(page.preview.pictures.isVisible, timeout=5000)
    assert page.preview.pictures.labels() == ["circle", "star"]
    qtbot.waitUntil(lambda: not page.preview.pictures._shown[0][1].pixmap().isNull(), timeout=5000)
    assert not page.preview.batch.isVisible()


def test_what_fits_instead_is_taken_by_a_click(
    qtbot: QtBot, runs: FakeRuns, open_page: Callable[..., TrainPage]
) -> None:
    proposal = Proposal(
        changes=[("batch_size", 2)], sentence="With 2 rows at once it fits.", memory_bytes=2**30
    )
    runs.estimate = make_estimate(ready=False, problems=["Too much memory."], proposal=proposal)
    page = open_page(dataset_of(Shape.TEXT_LABEL))
    qtbot.waitUntil(page.preview.proposal.isVisible, timeout=5000)
    assert page.preview.proposal.text.text() == "With 2 rows at once it fits."
    runs.estimate = make_estimate()
    qtbot.mouseClick(page.preview.proposal.take, LEFT)
    assert page.choices.spec.batch_size == 2
    qtbot.waitUntil(lambda: page.preview.badge.text() == "Ready", timeout=5000)
    assert not page.preview.proposal.isVisible()


def test_the_product_dialog_explains_each_task(qtbot: QtBot) -> None:
    dialog = ProductDialog(Matrix("Shop"))
    qtbot.addWidget(dialog)
    dialog.show()
    said = set()
    dialog.task.setFocus()
    for _task in Task:
        said.add(dialog.task_help.text())
        qtbot.keyClick(dialog.task, Qt.Key.Key_Down)
    assert len(said) == len(Task)
    dialog.reject()
