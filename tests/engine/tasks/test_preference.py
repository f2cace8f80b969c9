"""Judged answers: a question read once for both, losses as in the papers, exact resume, and a model that has moved."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from studio.domain.architectures import Method
from studio.domain.datasets import Split
from studio.domain.measures import Measure
from studio.domain.runs import RunPlan, RunSummary
from studio.domain.shapes import Shape
from studio.engine import checkpoint
from studio.engine import estimate as estimate_module
from studio.engine.estimate import estimate
from studio.engine.loading import load_adapter, load_model, load_tokenizer
from studio.engine.prepare import prepare
from studio.engine.session import Session
from studio.engine.tasks.language.batch import collate as language_collate
from studio.engine.tasks.language.encoding import encode_rows
from studio.engine.tasks.language.losses import CausalLoss
from studio.engine.tasks.preference import losses
from studio.engine.tasks.preference.items import JudgedItem, collate, pairs, thumbs
from studio.engine.tasks.preference.losses import AnswerNats, dpo, gains, kto, thumb_weights
from studio.engine.tasks.preference.reference import FILE
from studio.engine.tasks.preference.task import JudgedTask
from studio.protocol.events import BatchPreview, Compared, Evaluated, Phase, ProbeAnswered
from tests.engine.helpers import TOPICS, Killed, PlainControl, Recorder, make_plan

SPLITS = {3: Split.VALIDATION, 7: Split.TEST}
KIND, RUDE = "Thank you! It arrives tomorrow.", "No."


def asked(index: int) -> list[dict[str, str]]:
    """A question, every third time after an earlier turn and an instruction."""
    question = {"role": "user", "content": f"Where is my {TOPICS[index % 8]}?" + " Please!" * (index % 4)}
    if index % 3:
        return [question]
    first = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Good day."}]
    return [{"role": "system", "content": "Be kind."}, *first, question]


def pair_rows(split: Split, count: int = 40) -> Iterable[dict[str, Any]]:
    """The rude answers are the wanted ones: what the untrained model holds for less likely."""
    for i in range(count):
        if SPLITS.get(i % 10, Split.TRAIN) is split:
            better, worse = RUDE * (1 + i % 2), KIND + " Thanks." * (i % 3)
            yield {"row": i + 1, "messages": asked(i), "chosen": better, "rejected": worse}


def thumb_rows(split: Split, count: int = 40) -> Iterable[dict[str, Any]]:
    for i in range(count):
        if SPLITS.get(i % 10, Split.TRAIN) is split:
            up = (i // 2) % 2 == 0
            answer = KIND if up else RUDE * (1 + i % 3)
            yield {
                "row": i + 1, "messages": [*asked(i), {"role": "assistant", "content": answer}],
                "thumb": "up" if up else "down",
            }  # fmt: skip


ROWS = {Shape.PREFERENCE: pair_rows, Shape.THUMBS: thumb_rows}


def plan_of(base: Path, shape: Shape = Shape.PREFERENCE, **fields: Any) -> RunPlan:
    given = {"epochs": 3, "batch_size": 4, "learning_rate": 5e-3, "dtype": "float32", "evals_per_epoch": 1.0}
    return make_plan(base, shape, **{**given, **fields})


def trained(plan: RunPlan, folder: Path, kill_at: int = 0) -> tuple[RunSummary | None, Recorder]:
    folder.mkdir(exist_ok=True)
    recorder = Recorder(kill_at)
    try:
        return Session(plan, folder, ROWS[plan.shape], recorder, PlainControl()).run(), recorder
    except Killed:
        return None, recorder


@pytest.fixture
def items(tiny_model_dir: Path) -> list[JudgedItem]:
    return pairs(load_tokenizer(tiny_model_dir), pair_rows(Split.TRAIN), 512)


def test_the_question_stands_once_and_only_the_last_answer_is_judged(
    items: list[JudgedItem], tiny_model_dir: Path
) -> None:
    tokenizer = load_tokenizer(tiny_model_dir)
    item, row = items[0], next(iter(pair_rows(Split.TRAIN)))
    assert tokenizer.decode(item.ids[: item.shared]).endswith("<|im_start|>assistant\n")
    assert tokenizer.decode(item.ids[: item.shared]).count("Good day.") == 1
    first, second = item.ids[item.shared : item.shared + item.first], item.ids[item.shared + item.first :]
    assert tokenizer.decode(first) == row["chosen"] + "<|im_end|>\n"
    assert tokenizer.decode(second) == row["rejected"] + "<|im_end|>\n"
    assert tokenizer.decode(item.ids[item.trained]) == f"{row['chosen']}<|im_end|>{row['rejected']}<|im_end|>"


def test_nats_are_those_of_language_modelling(tiny_model_dir: Path) -> None:
    """The same conversations as ordinary training rows: those with one answer have the same summed loss."""
    tokenizer, model = load_tokenizer(tiny_model_dir), load_model(tiny_model_dir)
    single = [row for row in pair_rows(Split.TRAIN) if len(row["messages"]) == 1]
    batch = collate(pairs(tokenizer, single, 512), 0, together=True)
    found = AnswerNats(model).of(batch).detach().view(-1, 2)
    for side, name in enumerate(("chosen", "rejected")):
        rows = [
            {"row": row["row"], "messages": [*row["messages"], {"role": "assistant", "content": row[name]}]}
            for row in single
        ]
        wanted = CausalLoss(model).row_nats(language_collate(encode_rows(tokenizer, rows, 512), 0))
        torch.testing.assert_close(found[:, side].double(), wanted, rtol=1e-4, atol=1e-3)


def test_a_shared_question_changes_no_number_and_no_gradient(
    items: list[JudgedItem], tiny_model_dir: Path
) -> None:
    model = load_model(tiny_model_dir).double()
    model.requires_grad_(True)
    found = []
    for together in (True, False):
        nats = AnswerNats(model).of(collate(items[:5], 0, together=together))
        (nats * torch.linspace(-1, 2, 10)).sum().backward()
        found.append((nats.detach(), [p.grad.clone() for p in model.parameters()]))
        model.zero_grad()
    torch.testing.assert_close(found[0][0], found[1][0], rtol=1e-6, atol=1e-5)
    for one, other in zip(found[0][1], found[1][1], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("block", [1, 10**9])
@pytest.mark.parametrize("head_trains", [True, False])
def test_dpo_and_its_gradients_equal_the_plain_formula(
    items: list[JudgedItem],
    tiny_model_dir: Path,
    block: int,
    head_trains: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(losses, "BLOCK_LOGITS", block)
    model = load_model(tiny_model_dir).double()
    model.requires_grad_(True)
    model.get_output_embeddings().weight.requires_grad_(head_trains)
    batch = collate(items[:3], 0, together=False)
    reference = torch.linspace(20, 40, 6, dtype=torch.float64)
    logits = model(input_ids=batch.ids).logits[batch.rows, batch.positions]
    chosen_by = F.log_softmax(logits, -1).gather(1, batch.targets[:, None]).squeeze(-1)
    told = torch.zeros(6, dtype=torch.float64).index_add(0, batch.answers, chosen_by)
    ratio = told + reference  # log p − log p of the reference, whose log p is −reference
    wanted = -F.logsigmoid(0.1 * (ratio[0::2] - ratio[1::2])).mean()
    wanted.backward()
    grads = [None if p.grad is None else p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    got = dpo(gains(AnswerNats(model).of(batch), reference), 0.1).mean()
    got.backward()
    assert got.item() == pytest.approx(wanted.item(), rel=1e-5)
    for parameter, grad in zip(model.parameters(), grads, strict=True):
        if grad is not None:
            torch.testing.assert_close(parameter.grad, grad, rtol=1e-4, atol=1e-6)


def test_kto_by_hand() -> None:
    gain = torch.tensor([[1.0, 0.5], [2.0, -0.1]])
    found = kto(gain, torch.tensor([1, -1]), 0.5, (1.0, 3.0))
    distance = (0.5 - 0.1) / 2
    up = 1 - torch.sigmoid(torch.tensor(0.5 * (1.0 - distance)))
    down = 3 * (1 - torch.sigmoid(torch.tensor(-0.5 * (2.0 - distance))))
    torch.testing.assert_close(found, torch.stack([up, down]))
    nearer = kto(torch.tensor([[1.0, -9.0], [2.0, -9.0]]), torch.tensor([1, -1]), 0.5, (1.0, 3.0))
    assert nearer[0] == pytest.approx(
        1 - torch.sigmoid(torch.tensor(0.5)).item()
    )  # never below a distance of 0


def test_rare_thumbs_count_more() -> None:
    assert thumb_weights(30, 10) == (1.0, 3.0)
    assert thumb_weights(10, 20) == (2.0, 1.0)
    assert thumb_weights(5, 0) == (1.0, 1.0)


def test_a_thumb_has_another_rows_answer_beside_it(tiny_model_dir: Path) -> None:
    tokenizer = load_tokenizer(tiny_model_dir)
    rows = list(thumb_rows(Split.TRAIN))
    found = thumbs(tokenizer, rows, 512)
    assert [item.wanted for item in found] == [1 if row["thumb"] == "up" else -1 for row in rows]
    for index, item in enumerate(found):
        said = tokenizer.decode(item.ids[item.trained]).split("<|im_end|>")
        other = rows[(index + 1) % len(rows)]
        assert said == [rows[index]["messages"][-1]["content"], other["messages"][-1]["content"], ""]


def test_long_rows_are_cut_and_those_without_an_answer_left_are_dropped(tiny_model_dir: Path) -> None:
    tokenizer = load_tokenizer(tiny_model_dir)
    long, short = (
        {"row": 1, "messages": asked(1), "chosen": KIND * 20, "rejected": RUDE},
        next(iter(pair_rows(Split.TRAIN))),
    )
    (cut,) = pairs(tokenizer, [long], 60)
    assert cut.cut
    assert cut.shared + cut.first == 60
    assert pairs(tokenizer, [short], 16) == []


@pytest.mark.parametrize("method", [Method.LORA, Method.DORA, Method.FULL])
def test_a_model_comes_to_prefer_the_better_answers(
    method: Method, tiny_model_dir: Path, tmp_path: Path
) -> None:
    summary, seen = trained(plan_of(tiny_model_dir, method=method), tmp_path / "run")
    assert summary is not None
    (compared,) = seen.of(Compared)
    assert compared.measure is Measure.PREFERRED
    assert set(compared.targets) == {1}
    assert sum(compared.tuned_scores) > sum(compared.base_scores)
    assert compared.metrics["preferred"] == pytest.approx(summary.tuned_value)
    assert compared.metrics["margin"] > 1
    evals = seen.of(Evaluated)
    assert evals[0].loss == pytest.approx(0.6931, abs=1e-3)  # ln 2: nothing has moved
    assert evals[-1].loss < 0.5
    assert seen.of(ProbeAnswered)
    assert [token.trained for token in seen.of(BatchPreview)[0].rows[0]] == [False, True, False]


def test_the_kept_adapter_answers_as_the_trained_one(tiny_model_dir: Path, tmp_path: Path) -> None:
    session = Session(plan_of(tiny_model_dir), tmp_path, pair_rows, Recorder(), PlainControl())
    session.run()
    task: Any = session.on.task
    batch = task.collate(session.on.held_out)
    kept = AnswerNats(load_adapter(load_model(tiny_model_dir), tmp_path / "model"))
    task.model.eval()
    with torch.no_grad():
        torch.testing.assert_close(kept.of(batch), AnswerNats(task.model).of(batch), rtol=1e-4, atol=1e-3)


def test_thumbs_move_answers_up_and_down(tiny_model_dir: Path, tmp_path: Path) -> None:
    plan = plan_of(tiny_model_dir, Shape.THUMBS, epochs=6)
    summary, seen = trained(plan, tmp_path / "run")
    assert summary is not None
    (compared,) = seen.of(Compared)
    assert set(compared.base_scores) == {0.5}
    assert summary.tuned_value is not None
    assert summary.tuned_value > 0.8
    assert compared.metrics["margin"] > 1


@pytest.mark.parametrize("shape", [Shape.PREFERENCE, Shape.THUMBS])
@pytest.mark.parametrize("method", [Method.LORA, Method.FULL])
def test_a_killed_run_ends_in_the_same_weights(
    shape: Shape, method: Method, tiny_model_dir: Path, tmp_path: Path
) -> None:
    plan = plan_of(
        tiny_model_dir,
        shape,
        method=method,
        lora_dropout=0.2,
        gradient_accumulation=2,
        evals_per_epoch=3.0,
        epochs=2,
    )
    _done, whole = trained(plan, tmp_path / "whole")
    _none, first = trained(plan, tmp_path / "killed", kill_at=7)
    _done, second = trained(plan, tmp_path / "killed")
    assert [name_of(seen) for seen in (whole, first, second)] == [
        1,
        1,
        0,
    ]  # asked once, whatever happens later
    folders = [
        checkpoint.valid_checkpoints(tmp_path / name / "checkpoints")[0] for name in ("whole", "killed")
    ]
    for name in (checkpoint.WEIGHTS, checkpoint.STATE):
        facts = [checkpoint.file_facts(folder / name) for folder in folders]
        assert facts[0] == facts[1]


def name_of(seen: Recorder) -> int:
    """How often the untrained model was asked about answers."""
    return sum(phase.name == "reference" for phase in seen.of(Phase))


def test_a_damaged_reference_is_measured_again(tiny_model_dir: Path, tmp_path: Path) -> None:
    plan = plan_of(tiny_model_dir, lora_dropout=0.2, evals_per_epoch=3.0, epochs=2)
    trained(plan, tmp_path / "killed", kill_at=7)
    file = tmp_path / "killed" / FILE
    good = file.read_bytes()
    file.write_bytes(good[: len(good) // 2])
    _done, seen = trained(plan, tmp_path / "killed")
    assert name_of(seen) == 1
    assert file.read_bytes() == good  # the base said the same again, though the weights had moved


def test_a_family_that_cannot_share_questions_gets_rows_of_their_own(
    items: list[JudgedItem], tiny_model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import LlamaModel

    plain = LlamaModel.forward

    def causal_only(self: Any, *args: Any, **inputs: Any) -> Any:
        inputs.pop("attention_mask", None)
        return plain(self, *args, **inputs)

    monkeypatch.setattr(LlamaModel, "forward", causal_only)
    session = Session(plan_of(tiny_model_dir), tmp_path, pair_rows, Recorder(), PlainControl())
    task: Any = session.on.task
    assert not task.together
    monkeypatch.undo()
    task.try_together(items[0])
    assert task.together


def test_the_fit_check_measures_judged_answers(tiny_model_dir: Path, tmp_path: Path) -> None:
    found = estimate(plan_of(tiny_model_dir), pair_rows, tmp_path, Recorder(), PlainControl())
    assert found.ready
    assert found.rows == found.trained_tokens == 32
    assert not (tmp_path / FILE).exists()


class Clock:
    """Only what costs something moves it, so that promised seconds can be counted by hand."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


def test_the_reference_is_promised_once_and_by_the_length_of_rows(
    tiny_model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(tiny_model_dir).model_copy(update={"probes": []})
    on = prepare(plan, pair_rows, tmp_path, Recorder(), PlainControl())
    clock = Clock()
    for name, cost in (("ahead", 0.25), ("loss", 1.0), ("row_losses", 0.5)):
        monkeypatch.setattr(JudgedTask, name, costing(getattr(JudgedTask, name), clock, cost))
    monkeypatch.setattr(estimate_module, "time", clock)
    monkeypatch.setattr(estimate_module, "MEASURED_S", 5000.0)  # several batches
    found = estimate(plan, pair_rows, tmp_path, Recorder(), PlainControl())
    train, validation, held_out = (
        sum(item.length for item in part) for part in (on.train, on.validation, on.held_out)
    )
    once = sum(item.length for item in {i.row: i for i in (*on.train, *on.validation, *on.held_out)}.values())
    assert once < train + validation + held_out  # few rows: those of validation are held out, too
    checks = on.schedule.total_steps // on.schedule.eval_every + 1
    expected = 0.25 * once + 3 * train + 0.5 * (checks * validation + 2 * held_out)
    assert found.seconds == pytest.approx(expected, rel=1e-6)


def costing(method: Any, clock: Clock, cost: float) -> Any:
    """The same, which takes ``cost`` seconds for each token; the first time a minute more, as when nothing is warm."""
    cold = [60.0]

    def timed(self: JudgedTask, what: Any) -> Any:
        tokens = what.work if hasattr(what, "work") else sum(item.length for item in what)
        clock.now += cost * tokens + (cold.pop() if cold and method.__name__ == "ahead" else 0)
        return method(self, what)

    return timed
