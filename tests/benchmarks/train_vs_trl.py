"""Fine-tuning throughput against TRL's SFTTrainer, in one run on one machine, as ratios with the noise shown.

SmolLM2-135M-Instruct, LoRA r=8 on all linear layers or all weights, 64 rows of an Alpaca set, batch 4, fp32, one
epoch; speed in real (non-padding) tokens per second of training; held-out loss of each result by the same function
on 64 other rows.
``studio-auto`` is the studio in the number format that measures fastest on this machine, as a user gets it. Beside the
speeds stands the share of the machine's fp32 matrix speed: 2 operations per weight and token forward and for the input
gradients each (2 more for all weights' own), the head only where a token is trained, no padding, no attention.

    python tests/benchmarks/train_vs_trl.py [--method lora|full] [--repeats 2] [--rows 64] [--base DIR]
        [--alpaca alpaca_en_demo.json]

Needs the ``benchmark`` extra. Without --alpaca, the rows come from the llamafactory source package by pip.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from statistics import mean
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
PLAIN = dict(os.environ)  # before the studio says how its threads wait: the rivals keep their own way
CONTENDERS = ("studio", "trl", "trl-packed", "studio-auto")
LIMITS = {"lora": {"trl": 2.2, "trl-packed": 1.5}, "full": {"trl-packed": 1.5}}
LEARNING_RATES = {"lora": 5e-4, "full": 5e-5}
RANK, ALPHA, BATCH = 8, 16, 4


def alpaca_rows(path: Path | None) -> list[list[dict[str, str]]]:
    """Conversations of one question and one answer each."""
    if path is None:
        path = _fetch_alpaca()
    rows = json.loads(path.read_text(encoding="utf-8"))
    return [
        [
            {"role": "user", "content": "\n\n".join(filter(None, (r["instruction"], r.get("input"))))},
            {"role": "assistant", "content": r["output"]},
        ]
        for r in rows
        if r["output"].strip()
    ]


def _fetch_alpaca() -> Path:
    folder = Path(tempfile.gettempdir()) / "studio-benchmark"
    target = folder / "alpaca_en_demo.json"
    if not target.is_file():
        folder.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*command, "-d", str(folder), "llamafactory"], check=True)
        with tarfile.open(next(folder.glob("llamafactory-*.tar.gz"))) as archive:
            member = next(n for n in archive.getnames() if n.endswith("data/alpaca_en_demo.json"))
            source = archive.extractfile(member)
            assert source is not None
            target.write_bytes(source.read())
    return target


def encoded(tokenizer: Any, conversations: list[list[dict[str, str]]]) -> list[Any]:
    """The studio's own examples: also what every contender's held-out loss is measured on."""
    from studio.engine.tasks.language.encoding import encode_rows

    return encode_rows(tokenizer, ({"row": i, "messages": m} for i, m in enumerate(conversations)), 1024)


def run_studio(base: Path, train: list[Any], wanted: str, method: str) -> tuple[Any, Any, float]:
    """Model, tokenizer and seconds of training by the studio's trainer, without evaluations and checkpoints."""
    import torch

    from studio.domain.specs import Method, TrainSpec
    from studio.engine.checkpoint import Position
    from studio.engine.devices import pick_device, pick_dtype, set_up
    from studio.engine.distributed import Team
    from studio.engine.kernels import attention
    from studio.engine.loading import load_model, load_tokenizer
    from studio.engine.models import add_adapter
    from studio.engine.optim import make_optimizer
    from studio.engine.tasks.language.task import CausalTask
    from studio.engine.trainer import Trainer, schedule_for

    class Never:
        stop = False

        def check(self) -> None: ...

        def rest(self) -> None: ...

        def hold(self, *_args: Any) -> None: ...

        def on_pause(self, *_args: Any) -> None: ...

    set_up()
    attention.use_here()
    spec = TrainSpec(
        method=Method(method), lora_rank=RANK, lora_alpha=ALPHA, epochs=1, batch_size=BATCH,
        learning_rate=LEARNING_RATES[method],
        schedule="linear", warmup_ratio=0, weight_decay=0, max_length=1024, early_stopping=0,
    )  # fmt: skip
    tokenizer = load_tokenizer(base)
    dtype = pick_dtype(wanted, pick_device("cpu"))
    model = load_model(base, dtype=dtype if method == "lora" else torch.float32)
    model = add_adapter(model, spec) if method == "lora" else model
    examples = encoded(tokenizer, train)
    task = CausalTask(model, tokenizer, torch.device("cpu"), dtype)
    trainer = Trainer(
        spec, task, make_optimizer(model.named_parameters(), spec), examples,
        schedule_for(spec, len(examples)), Position(), device=torch.device("cpu"),
        emit=lambda event: None, control=Never(), evaluate=lambda: None, metrics=dict,
        after_evaluation=lambda best: None,
        save=lambda: None, save_due=lambda: False, out_of_memory=lambda: None, eval_rows=0, team=Team(),
    )  # fmt: skip
    started = time.perf_counter()
    trainer.run()
    return model, tokenizer, time.perf_counter() - started


def run_trl(base: Path, train: list[Any], packing: bool, method: str) -> tuple[Any, Any, float]:
    """The same by TRL, at its defaults but for what the comparison fixes."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    with tempfile.TemporaryDirectory() as out:
        more: dict[str, Any] = {"packing": True, "max_length": 1024} if packing else {}
        config = SFTConfig(
            output_dir=out, per_device_train_batch_size=BATCH, num_train_epochs=1, learning_rate=LEARNING_RATES[method],
            bf16=False, use_cpu=True, report_to="none", save_strategy="no", disable_tqdm=True, **more,
        )  # fmt: skip
        adapter = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules="all-linear", task_type="CAUSAL_LM")
        trainer = SFTTrainer(
            model=model, args=config, processing_class=tokenizer,
            train_dataset=Dataset.from_list([{"prompt": m[:-1], "completion": m[-1:]} for m in train]),
            peft_config=adapter if method == "lora" else None,
        )  # fmt: skip
        started = time.perf_counter()
        trainer.train()
        return trainer.model, tokenizer, time.perf_counter() - started


def contend(name: str, base: Path, alpaca: Path | None, rows: int, method: str) -> dict[str, float]:
    """Train once in this process: real tokens per second, and loss on held-out rows in nats per trained token."""
    conversations = alpaca_rows(alpaca)
    train, held_out = conversations[:rows], conversations[rows : rows + 64]
    if name.startswith("studio"):
        from studio.engine.threads import spin_while_alone

        wanted = "auto" if name == "studio-auto" else "float32"
        with spin_while_alone():  # as a run does
            model, tokenizer, seconds = run_studio(base, train, wanted, method)
    else:  # before anything of ours is imported: the rival keeps its own threading defaults
        model, tokenizer, seconds = run_trl(base, train, packing=name == "trl-packed", method=method)
    import torch

    from studio.engine.evaluate import mean_over_targets, row_losses
    from studio.engine.tasks.language.task import CausalTask

    examples, unseen = encoded(tokenizer, train), encoded(tokenizer, held_out)
    tokens, trained = (sum(column) for column in zip(*((e.length, e.targets) for e in examples), strict=True))
    head = model.get_output_embeddings().weight.numel()
    layers = sum(part.weight.numel() for part in model.modules() if isinstance(part, torch.nn.Linear)) - head
    work = (4 if method == "lora" else 6) * (tokens * layers + trained * head)
    task = CausalTask(model, tokenizer, torch.device("cpu"), torch.float32)
    nats = row_losses(task, unseen, BATCH)
    return {
        "tokens_per_s": tokens / seconds, "loss": mean_over_targets(nats, unseen), "tokens": tokens,
        "trained_tokens": trained, "seconds": seconds, "gflops": work / seconds / 1e9,
    }  # fmt: skip


def peak_gflops() -> float:
    """fp32 matrix speed of this machine, GFLOP/s, best of a few products of 1024 x 1024."""
    import torch

    a = torch.randn(1024, 1024)
    best = 0.0
    for _try in range(20):
        started = time.perf_counter()
        a @ a
        best = max(best, 2 * 1024**3 / (time.perf_counter() - started) / 1e9)
    return best


def main() -> int:
    """Run all contenders in fresh processes, interleaved, and print ratios; 1 when a limit is missed."""
    from studio.paths import default_base_model_dir

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--method", choices=tuple(LIMITS), default="lora")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--base", type=Path, default=default_base_model_dir())
    parser.add_argument("--alpaca", type=Path)
    parser.add_argument("--one", choices=CONTENDERS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(contend(args.one, args.base, args.alpaca, args.rows, args.method)))
        return 0
    from studio.engine.devices import use_fast_float32

    own = peak_gflops()
    use_fast_float32()
    peak = max(own, peak_gflops())
    print(f"fp32 matrix speed: {own:.0f} GFLOP/s as torch comes, {peak:.0f} at most")
    results: dict[str, list[dict[str, float]]] = {name: [] for name in CONTENDERS}
    for repeat in range(args.repeats):
        for name in CONTENDERS:
            command = [
                sys.executable,
                __file__,
                "--one",
                name,
                "--rows",
                str(args.rows),
                "--base",
                str(args.base),
                "--method",
                args.method,
            ]
            command += ["--alpaca", str(args.alpaca)] if args.alpaca else []
            done = subprocess.run(command, capture_output=True, text=True, check=False, env=PLAIN)
            if done.returncode:
                print(done.stderr[-3000:])
                return 1
            results[name].append(json.loads(done.stdout.splitlines()[-1]))
            print(f"repeat {repeat + 1} {name}: {results[name][-1]}", flush=True)
    return report(results, LIMITS[args.method], max(peak, peak_gflops()))


def report(results: dict[str, list[dict[str, float]]], limits: dict[str, float], peak: float) -> int:
    """Print speeds, losses and ratios; 1 when a limit is missed."""
    speed = {name: mean(r["tokens_per_s"] for r in found) for name, found in results.items()}
    loss = {name: mean(r["loss"] for r in found) for name, found in results.items()}
    for name, found in results.items():
        speeds = [r["tokens_per_s"] for r in found]
        noise = (max(speeds) - min(speeds)) / speed[name]
        share = mean(r["gflops"] for r in found) / peak
        print(
            f"{name:11s} {speed[name]:7.1f} tokens/s (noise {noise:.1%})  held-out loss {loss[name]:.4f}  "
            f"{share:.0%} of the fp32 matrix speed"
        )
    print(f"studio-auto / studio: {speed['studio-auto'] / speed['studio']:.2f}x")
    missed = 0
    for rival, limit in limits.items():
        ratio, worse = speed["studio"] / speed[rival], loss["studio"] / loss[rival] - 1
        ok = ratio >= limit and worse <= 0.02
        missed += not ok
        verdict = "ok" if ok else "MISSED"
        print(
            f"studio / {rival}: {ratio:.2f}x (at least {limit}x), loss {worse:+.2%} (at most +2%): {verdict}"
        )
    return int(missed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
