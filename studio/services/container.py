"""All services of one open workspace, as every page and command receives them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from studio.paths import WorkspacePaths
from studio.services.changes import ChangeBus
from studio.services.data_doctor import DataDoctorService
from studio.services.data_exports import DataExportService
from studio.services.data_versions import DataVersionService
from studio.services.datasets import DatasetService
from studio.services.doctor import DoctorService
from studio.services.drafts import DraftService
from studio.services.feedback import FeedbackService
from studio.services.folds import FoldService
from studio.services.matrices import MatrixService
from studio.services.models import ModelService
from studio.services.outbound import OutboundLog
from studio.services.ports import DecisionRepository
from studio.services.recipes import RecipeService
from studio.services.runs import RunService
from studio.services.searches import SearchService
from studio.services.settings import SettingsService


@dataclass
class Services:
    """Made by bootstrap.open_workspace. Thread-safe; ``close`` lets go of database and lock, running trainers go on."""

    paths: WorkspacePaths
    changes: ChangeBus
    settings: SettingsService
    matrices: MatrixService
    datasets: DatasetService
    versions: DataVersionService
    drafts: DraftService
    data_doctor: DataDoctorService
    recipes: RecipeService
    data_exports: DataExportService
    models: ModelService
    runs: RunService
    searches: SearchService
    folds: FoldService
    feedback: FeedbackService
    doctor: DoctorService
    outbound: OutboundLog
    decisions: DecisionRepository
    on_close: list[Callable[[], None]] = field(default_factory=list)

    def close(self) -> None:
        """Store what is pending and let go of the workspace; a second call does nothing."""
        while self.on_close:
            self.on_close.pop()()
