"""The only place that knows where files are."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

APP_NAME = "product-matrix-studio"
HOME_VARIABLE = "STUDIO_HOME"
DEFAULT_BASE_MODEL = "smollm2-135m-instruct"
DEFAULT_ENCODER = "all-minilm-l6-v2"


def resource_path(*parts: str) -> Path:
    """A file shipped with the program (translations, samples, icons)."""
    return Path(__file__).resolve().parent.parent.joinpath("resources", *parts)


def studio_home() -> Path:
    """The user's folder for settings, shared base models and the default workspace.

    ``STUDIO_HOME`` moves it, for tests and for people who keep their models on another disk.
    """
    override = os.environ.get(HOME_VARIABLE)
    if override:
        return Path(override).expanduser().resolve()
    import platformdirs  # a few ms, only when the folder is not given

    return Path(platformdirs.user_data_dir(APP_NAME, appauthor=False))


def settings_file() -> Path:
    """Settings of the program, not of a workspace."""
    return studio_home() / "settings.json"


def models_dir() -> Path:
    """Base models, one Hugging Face folder each, shared by all workspaces."""
    return studio_home() / "models"


def default_base_model_dir() -> Path:
    """Where installer/bootstrap.py leaves the default base model, dequantised, as a Hugging Face folder."""
    return models_dir() / DEFAULT_BASE_MODEL


def default_encoder_dir() -> Path:
    """Where installer/bootstrap.py leaves the default text encoder."""
    return models_dir() / DEFAULT_ENCODER


def default_workspace() -> Path:
    """The workspace opened when the user names none."""
    return studio_home() / "workspace"


def crash_log() -> Path:
    """Traceback of the last command-line verb that crashed."""
    return studio_home() / "logs" / "crash.log"


@dataclass(frozen=True)
class WorkspacePaths:
    """Everything inside one workspace folder: one database, and files beside it."""

    root: Path

    @property
    def database(self) -> Path:
        return self.root / "studio.db"

    @property
    def lock(self) -> Path:
        return self.root / "workspace.lock"

    @property
    def backups(self) -> Path:
        return self.root / "backups"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def exports(self) -> Path:
        return self.root / "exports"

    @property
    def datasets(self) -> Path:
        return self.root / "datasets"

    @property
    def images(self) -> Path:
        """Pictures of all datasets by their content: <first two hex>/<sha256>.<ending>; made when the first comes."""
        return self.datasets / "images"

    @property
    def audio(self) -> Path:
        """Recordings of all datasets, in the same way."""
        return self.datasets / "audio"

    @property
    def pasted(self) -> Path:
        """Texts that were pasted, one file each: the sources of their datasets."""
        return self.root / "pasted"

    @property
    def fetched(self) -> Path:
        """Datasets as they came from a hub, one folder each: the sources of ours."""
        return self.root / "fetched"

    @property
    def drafts(self) -> Path:
        """Edits that are not a version yet, one journal for each dataset version."""
        return self.root / "drafts"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    def dataset(self, dataset_id: str) -> Path:
        """Folder of one dataset version: rows.parquet, rejected.jsonl, manifest.json."""
        return self.datasets / dataset_id

    def run(self, run_id: str) -> Path:
        """RUN_DIR of one training run: spec.json, events.jsonl, commands.jsonl, stderr.log, checkpoints/, model/."""
        return self.runs / run_id

    def create(self) -> None:
        """Make the folders, readable by their owner only. Raises OSError when the place cannot be written."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        inside = (
            self.backups,
            self.logs,
            self.exports,
            self.datasets,
            self.pasted,
            self.fetched,
            self.drafts,
        )
        for folder in (*inside, self.runs):
            folder.mkdir(exist_ok=True, mode=0o700)
