"""How fast answers come: our loop beside transformers' own generate, on the same model, interleaved in one run.

    python -m tests.benchmarks.generate MODEL_DIR [TOKENS] [ROUNDS]

Machines differ and are shared, so the best of many short rounds is taken and the ratio is what counts: above 1
our loop is faster.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import torch

from studio.domain.sampling import Sampling
from studio.engine.devices import set_threads
from studio.engine.generate import answer
from studio.engine.loading import load_model, load_tokenizer
from studio.engine.templates import encode_chat

QUESTION = [{"role": "user", "content": "Explain in detail how bread is made."}]


def main() -> None:
    """Print tokens/s of both and their ratio, for likeliest tokens and for drawn ones."""
    folder, tokens, rounds = Path(sys.argv[1]), *(int(a) for a in [*sys.argv[2:], "32", "8"][:2])
    model, tokenizer = load_model(folder), load_tokenizer(folder)
    threads = set_threads()
    ids = torch.tensor([encode_chat(tokenizer, QUESTION)])
    no_end = {"eos_token_id": None}  # both make exactly as many tokens as asked for
    for holder in (model.generation_config, model.config, tokenizer):
        holder.eos_token_id = None
    drawn = {"do_sample": True, "temperature": 0.7, "top_k": 50, "top_p": 0.9, "repetition_penalty": 1.1}
    kinds = [
        ("likeliest", Sampling(temperature=0, repetition_penalty=1), {"do_sample": False}),
        ("drawn", Sampling(), drawn),
    ]
    for name, sampling, theirs in kinds:
        wanted = sampling.model_copy(update={"max_new_tokens": tokens, "seed": 1})
        rates: dict[str, list[float]] = {"ours": [], "transformers": []}
        made = 0
        for _round in range(rounds + 1):  # the first warms up
            start = time.perf_counter()
            made = answer(model, tokenizer, QUESTION, wanted).tokens
            rates["ours"].append(made / (time.perf_counter() - start))
            start = time.perf_counter()
            with torch.inference_mode():
                out = model.generate(
                    input_ids=ids,
                    attention_mask=torch.ones_like(ids),
                    max_new_tokens=tokens,
                    min_new_tokens=None,
                    pad_token_id=0,
                    **no_end,
                    **theirs,
                )
            rates["transformers"].append((out.shape[1] - ids.shape[1]) / (time.perf_counter() - start))
        ours, other = (max(values[1:]) for values in rates.values())
        print(
            f"{name}: ours {ours:.1f} tokens/s ({made} tokens), transformers {other:.1f} tokens/s, "
            f"ratio {ours / other:.2f}, {threads} threads"
        )


if __name__ == "__main__":
    main()
