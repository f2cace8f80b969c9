"""What workers say they are doing (protocol.events.Phase), in words, for the window and the command line."""

from __future__ import annotations

from studio.domain.recipes import FindingKind
from studio.i18n import N_, _
from studio.words_data import finding_title

_PHASES = {
    "starting": N_("Starting…"),
    "loading_model": N_("Loading the model…"),
    "scanning": N_("Looking through the file…"),
    "reading_rows": N_("Reading the rows…"),
    "tokenising": N_("Cutting the text into word pieces…"),
    "training_tokenizer": N_("Learning word pieces from your text…"),
    "measuring": N_("Measuring…"),
    "reference": N_("Asking the base model about every answer…"),
    "base_evaluation": N_("Testing the base model…"),
    "training": N_("Training…"),
    "evaluating": N_("Testing on rows that it does not learn from…"),
    "answering_probes": N_("Answering the sample questions…"),
    "saving": N_("Saving…"),
    "writing": N_("Writing…"),
    "comparing": N_("Comparing on rows that it does not learn from…"),
    "resuming": N_("Taking up the work again…"),
    "converting": N_("Converting the model…"),
    "fetching": N_("Downloading…"),
    "hashing": N_("Checking the files…"),
    "examining_rows": N_("Examining every row…"),
}
_AT_WORK = N_("Working…")


def phase_words(name: str) -> str:
    """What a worker is doing, in one short sentence in the active language."""
    if name in list(FindingKind):  # the data doctor goes through them one by one
        return _("Looking for: {finding}…").format(finding=finding_title(FindingKind(name)))
    return _(_PHASES.get(name, _AT_WORK))
