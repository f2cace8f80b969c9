"""A trainer without torch: writes what a real one would write, then does what the first word of PLAN says.

Usage: python fake_trainer.py PLAN train RUN_DIR, with PLAN one of
finish (a whole good run), hang (steps, then waits for a command for ever), deaf (as hang, but hears nothing),
die (steps, then exit code 3 without a last word), sigkill (steps, then kills itself), learn (four checks, whose losses
follow from the learning rate: best at 1e-3; stops between two checks when told).
"""

from __future__ import annotations

import json
import math
import os
import signal
import sys
import time
from pathlib import Path

import psutil

plan, _verb, folder = sys.argv[1:]
run_dir = Path(folder)
events = run_dir / "events.jsonl"
seq = len(events.read_text().splitlines()) if events.exists() else 0
known_commands = (
    (run_dir / "commands.jsonl").stat().st_size if seq and (run_dir / "commands.jsonl").exists() else 0
)


def emit(kind: str, **fields: object) -> None:
    global seq
    seq += 1
    with events.open("a") as file:
        file.write(json.dumps({"v": 1, "seq": seq, "t": time.time(), "type": kind, **fields}) + "\n")


def step(number: int) -> None:
    emit(
        "step", step=number, total_steps=5, epoch=number / 5, loss=2.0 - number / 10, lr=1e-4, grad_norm=1.0,
        tokens_per_s=50.0, memory_bytes=1000, elapsed_s=float(number), eta_s=1.0,
    )  # fmt: skip


def told() -> str:
    mailbox = run_dir / "commands.jsonl"
    return mailbox.read_text()[known_commands:] if mailbox.exists() and plan != "deaf" else ""


def learn() -> None:
    """Better and better, down to a loss that the learning rate decides; told to stop, it ends after its check."""
    rate = json.loads((run_dir / "spec.json").read_text())["spec"]["learning_rate"]
    emit(
        "planned",
        total_steps=4,
        rows=8,
        rows_cut=0,
        real_tokens=80,
        trained_tokens=80,
        parameters=10,
        trainable=1,
    )
    (run_dir / "checkpoints").mkdir(exist_ok=True)
    for check in range(1, 5):
        loss = 1.0 + (math.log10(rate) + 3) ** 2 + 0.4 / check
        step(check)
        emit("evaluated", step=check, epoch=check / 4, loss=loss, perplexity=math.exp(loss), rows=3, is_best=True,
             metrics={"accuracy": 1 / loss})  # fmt: skip
        deadline = time.monotonic() + (0.4 if loss < 4 else 2.0)  # a hopeless one leaves time to be ended
        while time.monotonic() < deadline and '"stop"' not in told():
            time.sleep(0.02)
        if '"cancel"' in told():
            emit("cancelled")
            sys.exit(0)
        if '"stop"' in told():
            break
    keep()


def finish() -> None:
    emit("compared", split="test", base_scores=[20.0] * 30, tuned_scores=[10.0] * 30, tokens=[10] * 30)
    keep()


def keep() -> None:
    (run_dir / "model").mkdir(exist_ok=True)
    emit(
        "finished",
        result={
            "steps": 5, "seconds": 3600.0, "real_tokens": 100, "tokens_per_s": 50.0, "peak_memory_bytes": 1000,
            "best_step": 5, "best_eval_loss": 1.0, "base_value": 2.0, "tuned_value": 1.0,
            "model_path": "model", "model_sha256": "0", "model_bytes": 1, "parameters": 10, "trainable": 1,
            "stop_reason": "finished", "answer_tokens_per_s": 10.0, "answer_tokens_mean": 20.0,
        },
    )  # fmt: skip


me = psutil.Process()
identity = {"pid": me.pid, "pid_started_at": me.create_time(), "token": f"token-{me.pid}"}
(run_dir / "worker.json").write_text(json.dumps(identity))
attempt = 1 + (events.read_text().count('"started"') if events.exists() else 0)
emit("started", job="train", attempt=attempt, **identity)
if attempt > 1:
    emit("resumed", step=2)
if plan == "learn":
    learn()
    sys.exit(0)
for number in range(1 if attempt == 1 else 3, 4):
    step(number)
sys.stderr.write("a library's noise\n")
if plan == "die":
    sys.exit(3)
if plan == "sigkill":
    os.kill(os.getpid(), signal.SIGKILL)
if plan == "finish" or attempt > 1:
    step(4)
    step(5)
    emit("evaluated", step=5, epoch=1.0, loss=1.0, perplexity=2.7, rows=3, is_best=True)
    finish()
    sys.exit(0)
paused = False
while True:
    said = told()
    wish = said.rfind('"pause"') > said.rfind('"resume"')
    if wish != paused:
        paused = wish
        emit("paused" if paused else "resumed", step=3)
    if '"cancel"' in said:
        emit("cancelled")
        sys.exit(0)
    if '"stop"' in said:
        finish()
        sys.exit(0)
    time.sleep(0.02)
