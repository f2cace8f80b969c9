"""The composition root: the only place where settings, store and services are wired together."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from studio.domain.datasets import Split
from studio.errors import StudioError
from studio.i18n import _
from studio.paths import WorkspacePaths, default_workspace, models_dir, resource_path
from studio.report.dataset_card import dataset_card
from studio.report.run_script import run_script
from studio.services.children import run_job, spawn_detached
from studio.services.container import Services as Services
from studio.services.data_doctor import DataDoctorService
from studio.services.data_exports import DataExportService
from studio.services.data_hub import DataHub
from studio.services.data_versions import DataVersionService
from studio.services.datasets import DatasetService
from studio.services.doctor import DoctorService
from studio.services.drafts import DraftService
from studio.services.feedback import FeedbackService
from studio.services.folds import FoldService
from studio.services.matrices import MatrixService
from studio.services.models import ModelService
from studio.services.outbound import OutboundLog
from studio.services.ports import RowPages
from studio.services.recipes import RecipeService
from studio.services.run_plans import RunPlanner
from studio.services.run_watch import RunWatch
from studio.services.runs import RunService
from studio.services.searches import SearchService
from studio.services.settings import SettingsService
from studio.store import backup
from studio.store.backup import BackupKeeper
from studio.store.database import Database
from studio.store.datasets import SqlDatasets
from studio.store.lock import WorkspaceLock
from studio.store.matrices import SqlMatrices
from studio.store.migrating import open_database
from studio.store.place import check_place
from studio.store.records import SqlBaseModels, SqlDecisions, SqlFeedback, SqlOutbound, SqlRecipes
from studio.store.runs import SqlRuns
from studio.store.searches import SqlSearches
from studio.store.sqlite import sqlite_module

if TYPE_CHECKING:
    from studio.ingest.dataset.pages import ParquetPages


def open_workspace(
    root: Path | None = None, *, settings: SettingsService, read_only: bool = False
) -> Services:
    """Open a workspace (None: the one of the settings, else the default), made if it is not there.

    read_only: look on while another program works in it: no lock, no backups, runs are not taken up.
    Raises BusyError ``workspace.in_use``; StudioError ``workspace.sync_folder``, ``workspace.network``,
    ``workspace.not_writable``, ``store.newer``, ``store.migration_failed``; CorruptDatabaseError.
    """
    paths = WorkspacePaths(_root(root, settings))
    check_place(paths.root)
    _create(paths)
    lock = WorkspaceLock(paths.lock)
    if not read_only:
        lock.acquire()
    try:
        database = open_database(paths.database, paths.backups)
        try:
            services = _wire(paths, settings, database, LazyPages(), keep_backups=not read_only)
            if not read_only:
                services.runs.recover()
        except BaseException:
            database.close()
            raise
    except BaseException:
        lock.release()
        raise
    services.on_close += [lock.release, database.close, services.runs.close, services.drafts.close]
    return services


def restore_workspace(
    root: Path | None, backup_file: Path | None = None, *, settings: SettingsService
) -> Path:
    """Put a backup (None: the newest good one) in the place of a damaged database; returns where that is kept.

    Raises StudioError ``store.no_backup``; BusyError when the workspace is open.
    """
    paths = WorkspacePaths(_root(root, settings))
    chosen = backup_file or backup.newest_good(paths.backups, sqlite_module())
    if chosen is None:
        raise StudioError("store.no_backup", _("There is no good backup of this workspace."))
    lock = WorkspaceLock(paths.lock)
    lock.acquire()
    try:
        return backup.restore(paths.database, chosen)
    finally:
        lock.release()


class LazyPages:
    """Dataset pages by ingest's reader, which is imported (with polars) only when the first page is wanted.

    A dataset never changes, so the readers of the last few are kept.
    """

    def __init__(self) -> None:
        self._reader = lru_cache(maxsize=8)(_page_reader)

    def columns(self, dataset_dir: Path) -> list[str]:
        return self._reader(dataset_dir).columns()

    def page(
        self, dataset_dir: Path, offset: int, limit: int, split: Split | None = None
    ) -> list[dict[str, str]]:
        return self._reader(dataset_dir).page(offset, limit, split)

    def rows(self, dataset_dir: Path, numbers: Sequence[int]) -> list[dict[str, str]]:
        return self._reader(dataset_dir).rows(numbers)

    def find(
        self, dataset_dir: Path, text: str, columns: Sequence[str] = (), offset: int = 0, limit: int = 200
    ) -> list[int]:
        return self._reader(dataset_dir).find(text, columns, offset, limit)


def _page_reader(dataset_dir: Path) -> ParquetPages:
    from studio.ingest.dataset.pages import ParquetPages

    return ParquetPages(dataset_dir)


class _NoBackups:
    """For those who only look on."""

    def backup_if_due(self) -> Path | None:
        return None


def _root(root: Path | None, settings: SettingsService) -> Path:
    chosen = root or settings.current.workspace or default_workspace()
    return Path(chosen).expanduser().resolve()


def _create(paths: WorkspacePaths) -> None:
    try:
        paths.create()
    except OSError as problem:
        raise StudioError(
            "workspace.not_writable", _("The workspace folder {path} cannot be written.").format(path=paths.root),
            _("Check that the disk is there and that you may write to it, or choose another folder."),
        ) from problem  # fmt: skip


def _wire(
    paths: WorkspacePaths,
    settings: SettingsService,
    database: Database,
    pages: RowPages,
    *,
    keep_backups: bool,
) -> Services:
    changes = settings.changes
    matrices, datasets, runs = SqlMatrices(database), SqlDatasets(database), SqlRuns(database)
    outbound = OutboundLog(SqlOutbound(database), changes)
    catalogue = resource_path("catalogue", "base_models.json")
    models = ModelService(
        SqlBaseModels(database), models_dir(), catalogue, settings, outbound, changes, run_job
    )
    tokenizer_dir = partial(_tokenizer_dir, models)
    versions = DataVersionService(datasets, paths, changes, run_job, tokenizer_dir)
    data_doctor = DataDoctorService(datasets, paths, changes, run_job, versions, tokenizer_dir)
    run_service = RunService(
        runs, matrices, RunPlanner(datasets, pages, paths, run_job, lambda: settings.current.power_kw),
        RunWatch(runs, paths.run, changes, spawn_detached), paths, settings, changes,
        BackupKeeper(database, paths.backups) if keep_backups else _NoBackups(), write_script=run_script,
    )  # fmt: skip
    searches = SearchService(SqlSearches(database), datasets, run_service, paths, changes)
    run_service.attend(searches.attend)
    return Services(
        paths=paths, changes=changes, settings=settings,
        matrices=MatrixService(matrices, datasets, runs, settings, changes),
        datasets=DatasetService(
            datasets, pages, paths, changes, run_job, tokenizer_dir, versions=versions,
            hub=DataHub(settings, outbound, paths.fetched, run_job),
        ),
        versions=versions, drafts=DraftService(versions, paths, changes), data_doctor=data_doctor,
        recipes=RecipeService(SqlRecipes(database), datasets, changes),
        data_exports=DataExportService(datasets, paths, run_job, versions, data_doctor, dataset_card),
        models=models,
        runs=run_service, searches=searches, folds=FoldService(datasets, run_service),
        feedback=FeedbackService(SqlFeedback(database), changes),
        doctor=DoctorService(paths, models, database.module.sqlite_version, database.integrity_problem),
        outbound=outbound, decisions=SqlDecisions(database),
    )  # fmt: skip


def _tokenizer_dir(models: ModelService) -> str | None:
    """Imports count tokens with the default base model's tokenizer, if that model is there."""
    base = models.default()
    return base.path if base else None
