"""What models are measured by: which way is better, and how a difference is said to a person."""

from __future__ import annotations

from enum import StrEnum

from studio.i18n import N_, _


class Measure(StrEnum):
    """What a verdict compares, row by row."""

    SURPRISE = "surprise"  # nats per predicted token
    CORRECT = "correct"  # share of rows whose label is right
    LABELS_RIGHT = "labels_right"  # F1 of a row's labels
    SQUARED_ERROR = "squared_error"  # of a number or a rating
    PREFERRED = "preferred"  # share of pairs in which the better answer is likelier
    RANKED = "ranked"  # NDCG@10 of the next thing a user chose
    RECONSTRUCTION = "reconstruction"  # negative ELBO of a picture in nats


SHARES = frozenset({Measure.CORRECT, Measure.LABELS_RIGHT, Measure.PREFERRED, Measure.RANKED})  # from 0 to 1
HIGHER_IS_BETTER = SHARES  # the others are surprises, errors and losses

# Differences smaller than this do not matter to a founder: in the measure's own unit, or as a share of the base.
MARGIN = {
    Measure.SURPRISE: 0.02,
    Measure.CORRECT: 0.01,
    Measure.LABELS_RIGHT: 0.01,
    Measure.PREFERRED: 0.02,
    Measure.RANKED: 0.005,
    Measure.RECONSTRUCTION: 1.0,
}
RELATIVE_MARGIN = 0.02  # for measures without a unit that is the same for all data

MEASURE_TITLES = {
    Measure.SURPRISE: N_("Surprise"),
    Measure.CORRECT: N_("Right answers"),
    Measure.LABELS_RIGHT: N_("Labels right (F1)"),
    Measure.SQUARED_ERROR: N_("Squared error"),
    Measure.PREFERRED: N_("Better answer preferred"),
    Measure.RANKED: N_("Next choice ranked high (NDCG@10)"),
    Measure.RECONSTRUCTION: N_("Loss of the image (−ELBO)"),
}

SHARE_METRICS = frozenset(
    {"accuracy", "macro_f1", "precision", "recall", "micro_f1", "exact", "r2", "recall_at_10", "preferred"}
)
LOWER_METRICS = frozenset({"rmse", "mae", "perplexity"})  # better when lower

METRIC_TITLES = {
    "accuracy": N_("Accuracy"),
    "macro_f1": N_("F1 over all labels alike"),
    "precision": N_("Precision"),
    "recall": N_("Recall"),
    "auc": N_("Area under the ROC curve"),
    "micro_f1": N_("F1 over all decisions"),
    "exact": N_("All labels right"),
    "rmse": N_("Typical error (RMSE)"),
    "mae": N_("Mean error"),
    "r2": N_("Share explained (R²)"),
    "recall_at_10": N_("Next choice among the first 10"),
    "ndcg_at_10": N_("NDCG@10"),
    "preferred": N_("Better answer preferred"),
    "margin": N_("Margin of the better answer"),
    "elbo": N_("ELBO in nats"),
    "perplexity": N_("Perplexity"),
}


def margin(measure: Measure, base: float) -> float:
    """The smallest difference from ``base`` that is called a difference."""
    return MARGIN.get(measure, RELATIVE_MARGIN * abs(base))


def measure_title(measure: Measure) -> str:
    """The name of a measure for a person, in the active language."""
    return _(MEASURE_TITLES[measure])


def measure_words(measure: Measure, value: float) -> str:
    """A value of the measure as it is read: shares as per cent, the others with three digits that count."""
    if measure in (Measure.CORRECT, Measure.LABELS_RIGHT, Measure.PREFERRED):
        return f"{value:.1%}"
    return f"{value:.3f}" if abs(value) < 100 else f"{value:,.1f}"


def metric_words(name: str, value: float) -> str:
    """A value of the metric as it is read: shares as per cent, the others with three digits that count."""
    if name in SHARE_METRICS:
        return f"{value:.1%}"
    return f"{value:.3f}" if abs(value) < 100 else f"{value:,.1f}"


def metric_title(name: str) -> str:
    """The name of a metric for a person, in the active language."""
    return _(METRIC_TITLES.get(name, name))
