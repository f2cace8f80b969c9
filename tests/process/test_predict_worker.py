"""The predict worker as a real child process: answers in order, bad inputs, stopping, and its parent's end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import torch

from studio.domain.specs import TrainSpec
from studio.engine.models import new_tokenizer
from studio.engine.tasks import goals
from studio.engine.tasks.images.models import CnnSizes, ResidualCnn
from studio.engine.tasks.images.pictures import Look
from studio.engine.tasks.images.vae import Vae, VaeSizes
from studio.engine.tasks.keeping import save_weights, write_task
from studio.engine.tasks.text.models import TextSizes, new_text_model
from studio.protocol.commands import Load, Predict, Quit, Stop, Unload
from studio.protocol.events import Finished, ModelLoaded, Predicted, Progress, RequestFailed
from studio.services.predict_client import PredictClient
from studio.services.runs import ChatTarget
from tests.helpers.serving_child import ServingChild

TEXTS = ["where is my parcel", "I want my money back"]


class Worker(ServingChild):
    """A predict worker and its two pipes."""

    def __init__(self, home: Path) -> None:
        super().__init__("predict", home, patience_s=60)

    def predicted(self, request_id: str) -> Predicted:
        seen = self.until(lambda event: isinstance(event, Predicted) and event.request_id == request_id)
        last = seen[-1]
        assert isinstance(last, Predicted)
        return last

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()


@pytest.fixture(scope="module")
def text_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kept LSTM with random weights for two labels."""
    folder = tmp_path_factory.mktemp("run") / "model"
    tokenizer = new_tokenizer(TEXTS * 20, 300, folder)
    goal = goals.single_label([{"label": "delivery"}, {"label": "refund"}], TrainSpec(), {})
    torch.manual_seed(1)
    sizes = TextSizes("lstm", len(tokenizer), 16, 1, 2, 32, 0.0, goal.size)
    save_weights(new_text_model(sizes), folder)
    tokenizer.save_pretrained(str(folder))
    document = {"architecture": "lstm", "goal": goal.document(), "max_length": 32, "sizes": sizes.document()}
    write_task(folder, document)
    return folder


@pytest.fixture(scope="module")
def picture_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures") / "model"
    folder.mkdir()
    goal = goals.single_label([{"label": "round"}, {"label": "square"}], TrainSpec(), {})
    sizes = CnnSizes(16, 1, 4, 0.0, goal.size)
    save_weights(ResidualCnn(sizes), folder)
    look = Look(16, 1, (0.5,), (0.25,))
    document = {"goal": goal.document(), "sizes": sizes.document(), "look": look.document()}
    write_task(folder, {"architecture": "cnn", **document})
    return folder


@pytest.fixture(scope="module")
def drawing_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawings") / "model"
    folder.mkdir()
    sizes = VaeSizes(16, 1, 4, 2, 0.0)
    save_weights(Vae(sizes), folder)
    write_task(
        folder,
        {"architecture": "vae", "sizes": sizes.document(), "look": Look(16, 1, (0.0,), (1.0,)).document()},
    )
    return folder


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    made = Worker(tmp_path_factory.mktemp("home"))
    yield made
    made.close()


def load(folder: Path, slot: str) -> Load:
    return Load(slot=slot, name=folder.parent.name, base_dir=str(folder), device="cpu")


def picture(path: Path) -> Path:
    from PIL import Image

    Image.new("L", (20, 12), 200).save(path)
    return path


def test_texts_are_answered_in_their_order_with_shares(worker: Worker, text_model: Path) -> None:
    worker.send(load(text_model, "text"))
    loaded = worker.wait_for(ModelLoaded)[-1]
    assert isinstance(loaded, ModelLoaded)
    assert (loaded.architecture, sorted(loaded.labels)) == ("lstm", ["delivery", "refund"])
    worker.send(Predict(request_id="1", slot="text", inputs=[{"text": text} for text in TEXTS]))
    both = worker.predicted("1").predictions
    worker.send(Predict(request_id="2", slot="text", inputs=[{"text": TEXTS[1]}]))
    alone = worker.predicted("2").predictions[0]
    assert [sum(share for _label, share in answer.labels) for answer in both] == pytest.approx([1, 1])
    assert dict(both[1].labels) == pytest.approx(dict(alone.labels), abs=1e-5)
    assert both[0].chosen == [both[0].labels[0][0]]


def test_a_long_batch_tells_how_far_it_is_and_can_be_stopped(worker: Worker, text_model: Path) -> None:
    worker.send(load(text_model, "text"))
    worker.wait_for(ModelLoaded)
    inputs = [{"text": f"parcel {n}"} for n in range(130)]
    worker.send(Predict(request_id="long", slot="text", inputs=inputs))
    seen = worker.until(lambda event: isinstance(event, Predicted))
    assert [event.done for event in seen if isinstance(event, Progress)] == [64, 128, 130]
    worker.send(
        Predict(request_id="a", slot="text", inputs=inputs * 40), Predict(request_id="b", slot="text", inputs=inputs),
        Stop(),
    )  # fmt: skip
    ends = _both(worker, {"a", "b"})
    assert all(event.stopped for event in ends.values())
    assert len(ends["a"].predictions) < 130 * 40
    assert ends["b"].predictions == []


def _both(worker: Worker, wanted: set[str]) -> dict[str, Predicted]:
    found: dict[str, Predicted] = {}
    while set(found) != wanted:
        event = worker.wait_for(Predicted)[-1]
        assert isinstance(event, Predicted)
        found[event.request_id] = event
    return found


def test_a_bad_picture_fails_its_request_only(worker: Worker, picture_model: Path, tmp_path: Path) -> None:
    worker.send(load(picture_model, "picture"))
    worker.wait_for(ModelLoaded)
    (tmp_path / "bad.png").write_bytes(b"no picture")
    good = picture(tmp_path / "good.png")
    for number, path in enumerate((tmp_path / "bad.png", tmp_path / "gone.png")):
        worker.send(Predict(request_id=f"bad{number}", slot="picture", inputs=[{"image": str(path)}]))
        failed = worker.wait_for(RequestFailed)[-1]
        assert isinstance(failed, RequestFailed)
        assert failed.code == ("input.unreadable", "input.missing")[number]
        assert failed.hint
    worker.send(Predict(request_id="good", slot="picture", inputs=[{"image": str(good)}]))
    assert {label for label, _share in worker.predicted("good").predictions[0].labels} == {"round", "square"}


def test_new_pictures_are_the_same_for_a_seed(worker: Worker, drawing_model: Path, tmp_path: Path) -> None:
    worker.send(load(drawing_model, "draw"))
    worker.wait_for(ModelLoaded)
    drawn = []
    for folder in ("one", "two"):
        wanted = {"sample": 4, "seed": 7, "folder": str(tmp_path / folder)}
        worker.send(Predict(request_id=folder, slot="draw", inputs=[wanted]))
        drawn.append(Path(worker.predicted(folder).predictions[0].picture))
    assert drawn[0].read_bytes() == drawn[1].read_bytes()
    assert drawn[0].parent == tmp_path / "one"


@pytest.mark.parametrize("broken", ["nothing", "newer", "weights"])
def test_a_folder_that_is_no_model_is_refused(
    worker: Worker, text_model: Path, tmp_path: Path, broken: str
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    if broken == "newer":
        write_task(folder, {"architecture": "of_tomorrow"})
    elif broken == "weights":
        for file in text_model.iterdir():
            data = file.read_bytes()
            (folder / file.name).write_bytes(data[:100] if file.suffix == ".safetensors" else data)
    worker.send(load(folder, "broken"))
    failed = worker.wait_for(RequestFailed)[-1]
    assert isinstance(failed, RequestFailed)
    assert (failed.code, failed.request_id) == ("model.unreadable", "broken")


def test_an_unloaded_slot_has_no_model(worker: Worker, text_model: Path) -> None:
    worker.send(load(text_model, "text"))
    worker.wait_for(ModelLoaded)
    worker.send(Unload(slot="text"), Predict(request_id="x", slot="text", inputs=[{"text": "hi"}]))
    failed = worker.wait_for(RequestFailed)[-1]
    assert isinstance(failed, RequestFailed)
    assert failed.code == "predict.no_model"


@pytest.mark.slow
def test_it_says_good_bye_and_goes_when_its_parent_does(tmp_path: Path) -> None:
    polite = Worker(tmp_path)
    polite.send(Quit())
    polite.wait_for(Finished)
    assert polite.process.wait(20) == 0
    left = Worker(tmp_path)
    assert left.process.stdin
    left.process.stdin.close()
    assert left.process.wait(20) == 0
    for each in (polite, left):
        assert not psutil.pid_exists(each.process.pid)
        each.close()


@pytest.mark.slow
def test_the_client_waits_for_the_answers(text_model: Path) -> None:
    with PredictClient() as client:
        client.load(ChatTarget("Intents", str(text_model), None), "cpu")
        answered = client.predict([{"text": text} for text in TEXTS])
    assert len(answered.predictions) == 2
