"""Starts the window: application, theme, workspace, pages; the only place where the GUI is wired together."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from PySide6.QtCore import QLibraryInfo, QLocale, QTimer, QTranslator
from PySide6.QtWidgets import QApplication, QMessageBox

from studio.errors import StudioError
from studio.gui.chat_host import ChatHost, Spawn
from studio.gui.context import ChangeSignal, GuiContext, Navigator
from studio.gui.icons import icon
from studio.gui.main_window import MainWindow
from studio.gui.notices import NoticeCenter
from studio.gui.page import Page, PageEntry
from studio.gui.predict_host import PredictHost
from studio.gui.qt_texts import QtTexts
from studio.gui.shell.workspace_facts import WorkspaceFacts
from studio.gui.tasks import TaskRunner
from studio.gui.theme import Theme
from studio.gui.worker_host import RunHost
from studio.i18n import _, current_language, set_language, system_language
from studio.paths import settings_file

if TYPE_CHECKING:
    from studio.bootstrap import Services

log = logging.getLogger(__name__)


def run_gui(workspace: Path | None = None, sample: bool = False) -> int:
    """Open the window on a workspace and run until it is closed; returns the process's exit code.

    workspace: folder, None = the one in the settings or the default; sample: open the sample matrix at once.
    """
    from studio import bootstrap
    from studio.services.settings import SettingsService

    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    settings = SettingsService(settings_file())
    first_time = settings.current.language is None
    set_language(settings.current.language or system_language())
    theme = Theme(app, settings.current.theme)
    _prepare(app)
    translator = QtTexts(app)
    _translate_qt(app, translator)
    place = workspace or (Path(settings.current.workspace) if settings.current.workspace else None)
    try:
        services = bootstrap.open_workspace(place, settings=settings)
    except StudioError as problem:
        QMessageBox.critical(None, _("The workspace could not be opened"), str(problem))
        return problem.exit_code
    try:
        return _run_window(app, services, theme, translator, first_time=first_time, sample=sample)
    finally:
        services.close()


def compose(app: QApplication, services: Services, theme: Theme) -> tuple[GuiContext, MainWindow]:
    """The context and the window around it, not yet shown."""
    notices = NoticeCenter(app)
    ctx = GuiContext(
        services=services,
        changes=ChangeSignal(services.changes, app),
        tasks=TaskRunner(notices.error_from, app),
        notices=notices,
        theme=theme,
        navigator=Navigator(app),
    )
    ctx.jobs = RunHost(services.runs, app)
    ctx.chat = ChatHost(_spawner(services, "chat"), app)
    ctx.predict = PredictHost(_spawner(services, "predict"), app)
    for host in (ctx.chat, ctx.predict):
        ctx.jobs.active_changed.connect(host.set_active_runs)
    ctx.jobs.failed.connect(notices.error_from)
    return ctx, MainWindow(ctx, page_entries(), WorkspaceFacts(services))


def _spawner(services: Services, job: str) -> Spawn:
    from studio.services.children import WorkerProcess

    log_file = services.paths.logs / f"{job}.stderr.log"
    return lambda on_event: WorkerProcess([job], on_event=on_event, stderr_path=log_file)


def page_entries() -> list[PageEntry]:
    """The pages of this version, in the order of the rail."""
    return [
        PageEntry("matrix", lambda: _("Matrix"), "matrix", _matrix_page),
        PageEntry("data", lambda: _("Data"), "data", _data_page),
        PageEntry("train", lambda: _("Train"), "train", _train_page),
        PageEntry("runs", lambda: _("Runs"), "runs", _runs_page),
        PageEntry("playground", lambda: _("Playground"), "playground", _playground_page),
        PageEntry("settings", lambda: _("Settings"), "settings", _settings_page, foot=True),
    ]


def _run_window(
    app: QApplication,
    services: Services,
    theme: Theme,
    translator: QTranslator,
    *,
    first_time: bool,
    sample: bool,
) -> int:
    ctx, window = compose(app, services, theme)
    previous_hook = sys.excepthook
    sys.excepthook = _hook(ctx.notices)
    ctx.changes.changed.connect(lambda _changes: _translate_qt(app, translator))
    ctx.jobs.start()
    window.show()
    if words := services.settings.reset_words():
        ctx.notices.warning(words)
    if sample:
        open_sample(ctx)
    elif first_time:
        QTimer.singleShot(0, window, lambda: first_run(ctx, window))
    try:
        return app.exec()
    finally:
        sys.excepthook = previous_hook
        ctx.chat.shutdown()
        ctx.predict.shutdown()
        ctx.jobs.shutdown()
        ctx.tasks.shutdown()
        ctx.changes.close()
        app.removeTranslator(translator)


def first_run(ctx: GuiContext, window: MainWindow) -> None:
    """Language, then a way to begin."""
    from studio.gui.dialogs.first_run import FirstRunDialog

    def speak(code: str) -> None:
        set_language(code)
        ctx.services.settings.update(language=code)
        window.rebuild()

    dialog = FirstRunDialog(speak, language=current_language(), parent=window)

    def begin() -> None:
        if dialog.choice == "sample":
            open_sample(ctx)
        elif dialog.choice == "empty":
            ctx.navigator.go("matrix", new=True)

    dialog.accepted.connect(begin)
    dialog.open()


def open_sample(ctx: GuiContext) -> None:
    """Open the sample matrix in the language of the window."""
    matrix = ctx.services.matrices.open_sample(current_language())
    ctx.navigator.set_matrix(matrix.id)
    ctx.navigator.go("matrix")


def _prepare(app: QApplication) -> None:
    app.setApplicationName("product-matrix-studio")
    app.setDesktopFileName("product-matrix-studio")
    app.setWindowIcon(icon("logo", "accent"))


def _translate_qt(app: QApplication, translator: QTranslator) -> None:
    """Put the program's name and Qt's own dialogs (the file chooser) into the active language."""
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    # Qt adds this name to every window title that does not end with it.
    app.setApplicationDisplayName(_("Product Matrix Studio"))
    QLocale.setDefault(_locale_of(current_language()))
    wanted = current_language() == "zh_CN"
    if wanted and translator.isEmpty() and translator.load("qtbase_zh_CN", folder):
        app.installTranslator(translator)
    elif not wanted and not translator.isEmpty():
        app.removeTranslator(translator)
        translator.load("")


def _locale_of(language: str) -> QLocale:
    """How dates and numbers are written: as the system does when it speaks the language, else as usual for it."""
    system, spoken = QLocale.system(), QLocale(language)
    return system if system.language() == spoken.language() else spoken


def _hook(
    notices: NoticeCenter,
) -> Callable[[type[BaseException], BaseException, TracebackType | None], None]:
    """What Python calls for an exception that left a slot: the user hears of it, the window lives on."""

    def report(kind: type[BaseException], problem: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, problem, trace)
        else:
            notices.error_from(problem)

    return report


# Pages are imported when first needed: plots alone cost over a second.


def _matrix_page() -> Callable[[GuiContext], Page]:
    from studio.gui.pages.matrix import MatrixPage

    return MatrixPage


def _data_page() -> Callable[[GuiContext], Page]:
    from studio.gui.pages.data import DataPage

    return DataPage


def _train_page() -> Callable[[GuiContext], Page]:
    from studio.gui.pages.train import TrainPage

    return TrainPage


def _runs_page() -> Callable[[GuiContext], Page]:
    from studio.gui.pages.runs import RunsPage

    return RunsPage


def _playground_page() -> Callable[[GuiContext], Page]:
    from studio.gui.pages.playground import PlaygroundPage

    return PlaygroundPage


def _settings_page() -> Callable[[GuiContext], Page]:
    from studio.gui.pages.settings import SettingsPage

    return SettingsPage
