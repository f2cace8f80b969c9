"""The statistics page of one dataset version, measured in one pass and some look-ups; any number of rows.

Characters, labels, splits and duplicates are counted over all rows. Tokens, languages, vocabulary and the lengths of
conversations are read from the stable sample once a dataset is large, and the result says that it is estimated.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from tokenizers import Tokenizer

from studio.domain.datasets import Split
from studio.domain.shapes import Shape
from studio.domain.statistics import DatasetStatistics, Histogram, ImageFacts, Vocabulary
from studio.ingest.dataset.canonical import ROWS_FILE
from studio.ingest.dataset.content import MESSAGE_COLUMNS, number_column, plain_texts, prose_columns
from studio.ingest.dataset.histograms import ValueCounts, histogram_of
from studio.ingest.dataset.images import IMAGES_FOLDER, image_place
from studio.ingest.dataset.labels import labels_by_split
from studio.ingest.dataset.manifest import STATISTICS_FILE, read_manifest
from studio.ingest.dataset.pages import ParquetPages
from studio.ingest.dataset.statistics import (
    StableSample,
    language_shares,
    load_tokenizer,
    sample_texts,
)
from studio.ingest.versions.rowstream import frames_of
from studio.protocol.events import Event, Phase, Progress

MOST_LABELS: Final = 50
EXAMPLES: Final = 3
MOST_IMAGES: Final = 2_000
_PROGRESS_EVERY_S: Final = 0.25
_EXAMPLE_CHARS: Final = 2_000


class Measurer:
    """Measures one dataset folder. tokenizer_dir: folder with tokenizer.json, None for characters only.

    emit: told of phases and progress. check: called often; raises to cancel.
    """

    def __init__(
        self,
        dataset_dir: Path,
        tokenizer_dir: Path | None,
        emit: Callable[[Event], None],
        check: Callable[[], None],
    ) -> None:
        self._dir = dataset_dir
        self._tokenizer = load_tokenizer(tokenizer_dir) if tokenizer_dir else None
        self._emit = emit
        self._check = check
        self._version = read_manifest(dataset_dir)
        self._prose = prose_columns(self._version.shape)
        self._lengths = {name: ValueCounts() for name in self._prose if name not in MESSAGE_COLUMNS}
        self._sample = StableSample()
        self._told = 0.0

    def run(self) -> DatasetStatistics:
        """Raises StudioError import.broken and whatever ``check`` raises."""
        began = time.monotonic()
        self._emit(Phase(name="measuring"))
        keys = self._one_pass()
        duplicates = self._version.rows - keys.n_unique()
        rows, shape = self._sample.rows(), self._version.shape
        texts = sample_texts(rows, shape)
        self._check()
        tokens, vocabulary = self._tokens(texts)
        sampled = self._sample.is_partial and bool(self._prose)
        images = self._images()
        return DatasetStatistics(
            dataset_id=self._version.id,
            rows=self._version.rows,
            splits={split.value: count for split, count in self._version.splits.items()},
            lengths=[*tokens, *self._characters(rows)],
            labels=self._labels(),
            languages=language_shares(texts),
            duplicates=duplicates,
            vocabulary=vocabulary,
            examples=self._examples(),
            numbers=self._numbers(),
            images=images,
            estimated=sampled or (images is not None and self._version.rows > MOST_IMAGES),
            seconds=round(time.monotonic() - began, 3),
        )

    def _one_pass(self) -> pl.Series:
        """Counts what is counted over all rows; returns all content hashes."""
        keys: list[pl.Series] = []
        for frame in frames_of(self._dir, self._version.shape, self._check):
            self._sample.add(frame)
            keys.append(frame["key"])
            for name, lengths in self._lengths.items():
                lengths.add(frame[name].str.len_chars().drop_nulls())
            self._tell()
        return pl.concat(keys)

    def _characters(self, rows: pl.DataFrame) -> list[Histogram]:
        for name in self._prose:
            if name in MESSAGE_COLUMNS:
                self._lengths[name] = ValueCounts()
                self._lengths[name].add(plain_texts(rows[name]).str.len_chars().drop_nulls())
        ordered = (self._lengths[name].histogram(name, "characters") for name in self._prose)
        return [found for found in ordered if found is not None]

    def _tokens(self, texts: list[str]) -> tuple[list[Histogram], Vocabulary | None]:
        """Tokens of whole rows, column ""; what one token is to the tokenizer."""
        if self._tokenizer is None or not texts:
            return [], None
        lengths, used = ValueCounts(), np.zeros(self._tokenizer.get_vocab_size(), dtype=np.int64)
        for start in range(0, len(texts), 500):
            self._check()
            encoded = self._tokenizer.encode_batch_fast(texts[start : start + 500], add_special_tokens=False)
            lengths.add(pl.Series([len(item.ids) for item in encoded]))
            ids = np.concatenate([np.asarray(item.ids, dtype=np.int64) for item in encoded])
            used += np.bincount(ids, minlength=len(used))
        found = lengths.histogram("", "tokens")
        return [found] if found else [], self._vocabulary(used, sum(map(len, texts)))

    def _vocabulary(self, used: NDArray[np.int64], characters: int) -> Vocabulary:
        assert self._tokenizer is not None
        distinct = np.flatnonzero(used)
        broken = [number for number in distinct if _is_piece(self._tokenizer, int(number))]
        total = int(used.sum())
        return Vocabulary(
            distinct=len(distinct),
            size=len(used),
            bytes_share=round(float(used[broken].sum()) / max(1, total), 4),
            characters_per_token=round(characters / max(1, total), 3),
        )

    def _labels(self) -> dict[str, dict[str, int]]:
        scan = pl.scan_parquet(self._dir / ROWS_FILE, glob=False)
        table = labels_by_split(scan, self._version.shape, self._check)
        order = (
            table.group_by("label").agg(pl.col("rows").sum()).sort("rows", "label", descending=[True, False])
        )
        labels: dict[str, dict[str, int]] = {label: {} for label in order["label"].head(MOST_LABELS)}
        for label, split, count in table.iter_rows():
            if label in labels:
                labels[label][split] = count
        return labels

    def _examples(self) -> dict[str, list[dict[str, str]]]:
        """From the beginning, the middle and the end of each split."""
        pages = ParquetPages(self._dir)
        found: dict[str, list[dict[str, str]]] = {}
        for split in Split:
            count = pages.count(split)
            places = sorted({count * part // EXAMPLES for part in range(EXAMPLES)}) if count else []
            rows = [row for place in places for row in pages.page(place, 1, split)]
            found[split.value] = [{name: text[:_EXAMPLE_CHARS] for name, text in row.items()} for row in rows]
        return found

    def _numbers(self) -> Histogram | None:
        column = number_column(self._version.shape)
        if column is None:
            return None
        values = [
            frame[column].cast(pl.Float64, strict=False)
            for frame in frames_of(self._dir, self._version.shape, self._check)
        ]
        return histogram_of(pl.concat(values), column)

    def _images(self) -> ImageFacts | None:
        """Of up to MOST_IMAGES pictures, of which only the headers are read."""
        if self._version.shape is not Shape.IMAGE_LABEL:
            return None
        widths, heights = ValueCounts(), ValueCounts()
        formats: dict[str, int] = {}
        names = self._sample.rows().sort("rank")["image"].unique(maintain_order=True).head(MOST_IMAGES)
        for name in names:
            self._check()
            size = _image_size(image_place(self._dir.parent / IMAGES_FOLDER, name))
            ending = os.path.splitext(name)[1].lstrip(".")
            formats[ending] = formats.get(ending, 0) + 1
            if size is not None:
                widths.add(pl.Series([size[0]]))
                heights.add(pl.Series([size[1]]))
        found = widths.histogram("width", ""), heights.histogram("height", "")
        if found[0] is None or found[1] is None:
            return None
        return ImageFacts(widths=found[0], heights=found[1], formats=formats)

    def _tell(self) -> None:
        at = time.monotonic()
        if at - self._told >= _PROGRESS_EVERY_S:
            self._told = at
            self._emit(Progress(phase="measuring", done=self._sample.seen, total=self._version.rows))


def keep(statistics: DatasetStatistics, dataset_dir: Path) -> None:
    """Write statistics.json into the folder, whole or not at all. Raises OSError."""
    aside = dataset_dir / f".{STATISTICS_FILE}.{os.getpid()}"
    try:
        aside.write_text(statistics.model_dump_json(), encoding="utf-8")
        os.replace(aside, dataset_dir / STATISTICS_FILE)
    finally:
        aside.unlink(missing_ok=True)


def _is_piece(tokenizer: Tokenizer, number: int) -> bool:
    """Whether a token is unknown, or a piece of one character: a byte that is no text by itself."""
    token = tokenizer.id_to_token(number) or ""
    unknown = getattr(tokenizer.model, "unk_token", None)
    if token == unknown or (token.startswith("<0x") and token.endswith(">")):
        return True
    return "\ufffd" in tokenizer.decode([number], skip_special_tokens=False)


def _image_size(path: Path) -> tuple[int, int] | None:
    try:
        with Image.open(path) as image:
            return image.size
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, SyntaxError):
        return None
