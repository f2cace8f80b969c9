"""How long ordering for labelling takes, and whether its guesses are worth it.

Run: python tests/benchmarks/label_order.py [--rows 20000]
Printed are the seconds for that many rows of some 150 characters, half of them Chinese (target: under 5 s), and, on
made-up reviews of which a tenth is labelled, the share of wrong guesses among the rows put first and among those put
last; the first must be well above the second.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path

import numpy as np

from studio.domain.shapes import Shape
from studio.ingest.versions.guessing import class_scores, margins_of
from studio.ingest.versions.label_order import order_for_labelling
from tests.unit.ingest.versions.helpers import make_dataset

LABELS = {
    "late": ["still waiting", "has not arrived", "weeks late", "还没收到", "太慢了", "物流不动"],
    "broken": ["arrived broken", "does not turn on", "cracked", "坏了", "开不了机", "有裂缝"],
    "praise": ["love it", "works great", "very happy", "很好用", "非常满意", "推荐购买"],
    "refund": ["money back", "want a refund", "return it", "要退款", "退货", "把钱退给我"],
}
FILLER = [
    "I ordered this phone for my mother",
    "the box was blue",
    "昨天下的单",
    "给妈妈买的手机",
    "hello",
    "你好客服",
]


def review(rng: random.Random, label: str) -> str:
    """A text that speaks of its label, and sometimes of another."""
    parts = rng.choices(FILLER, k=rng.randint(2, 5)) + rng.choices(LABELS[label], k=rng.randint(1, 2))
    if rng.random() < 0.4:
        parts += rng.choices(LABELS[rng.choice(list(LABELS))], k=1)
    rng.shuffle(parts)
    return ", ".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    given = parser.parse_args()
    rng = random.Random(3)
    labels = [rng.choice(list(LABELS)) for _ in range(given.rows)]
    texts = [review(rng, label) for label in labels]
    known = given.rows // 10
    with tempfile.TemporaryDirectory() as place:
        rows = [
            (text, label if at < known else None)
            for at, (text, label) in enumerate(zip(texts, labels, strict=True))
        ]
        make_dataset(Path(place) / "v1", Shape.TEXT_LABEL, rows)
        began = time.perf_counter()
        found = order_for_labelling(Path(place) / "v1", "label", None, given.rows, lambda: None)
        seconds = time.perf_counter() - began
    print(f"{given.rows} rows ordered by {found['basis']} in {seconds:.2f} s")
    names = list(LABELS)
    numbers = [[names.index(label)] for label in labels]
    for few in (20, 100, known):
        scores, pieces = class_scores(texts[:few], numbers[:few], texts[known:])
        margins, guesses = margins_of(scores, pieces), scores.argmax(axis=0)
        wrong = np.array([guess != own[0] for guess, own in zip(guesses, numbers[known:], strict=True)])
        order = np.argsort(margins)
        tenth = len(order) // 10
        first, last = wrong[order[:tenth]].mean(), wrong[order[-tenth:]].mean()
        print(
            f"{few:6} labels: wrong {wrong.mean():.1%} of all, {first:.1%} of the first tenth, {last:.1%} of the last"
        )


if __name__ == "__main__":
    main()
