"""The frame of dialogs that make a new version by one step: choices, what they would change, and the deed."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLayout, QVBoxLayout, QWidget

from studio.domain.datasets import DatasetVersion
from studio.domain.recipes import AnyStep, StepPreview
from studio.errors import StudioError
from studio.gui.context import GuiContext
from studio.gui.pages.data.editing.step_preview import StepPreviewPanel
from studio.gui.pages.data.work_dialog import WorkDialog
from studio.gui.theme import current_tokens
from studio.gui.widgets import Caption, Divider, FittedPage, PrimaryButton, SecondaryButton
from studio.i18n import _

WIDTH = 592  # of the parts, in px
_FRAME = 48  # px of the screen that are left to the title bar and the edges of a window


class StepDialog(QDialog):
    """Subclasses fill ``rows``, override ``step``, and call ``look_again`` when a choice changed.

    The choices scroll where the screen is too low for them; preview and buttons always stay in sight.
    made: the new DatasetVersion, when the step was done and the dialog is closed.
    """

    made = Signal(object)

    def __init__(
        self, ctx: GuiContext, dataset: DatasetVersion, title: str, confirm: str, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._ctx, self.dataset = ctx, dataset
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        space = current_tokens().space
        column = QVBoxLayout(self)
        column.setContentsMargins(space.xl, space.xl, space.xl, space.xl)
        column.setSpacing(space.l)
        column.setSizeConstraint(QLayout.SizeConstraint.SetFixedSize)  # always as high as its parts
        column.addStrut(WIDTH)
        self.choices = FittedPage(WIDTH)
        self.rows = self.choices.body
        column.addWidget(self.choices)
        column.addWidget(Divider())
        self.preview = StepPreviewPanel(ctx, dataset.id)
        self.preview.known.connect(self._on_known)
        column.addWidget(self.preview)
        column.addLayout(self._feet(confirm))
        self.finished.connect(lambda _code: self.preview.stop())

    def step(self) -> AnyStep | None:
        """The step as chosen; None while something is missing. May raise StudioError for what cannot be."""
        raise NotImplementedError

    def hint(self) -> str:
        """What is missing while ``step`` gives None."""
        return ""

    def look_again(self) -> None:
        """Something was chosen: try the step again."""
        self.confirm.setEnabled(False)
        try:
            step = self.step()
        except StudioError as problem:
            self.preview.look(None)
            self.preview.problem.show_problem(problem)
            return
        self.preview.look(step, self.hint())

    def showEvent(self, event: QShowEvent) -> None:
        column = self.layout()
        assert column is not None
        column.activate()
        others = column.totalSizeHint().height() - self.choices.sizeHint().height()
        self.choices.set_most(self.screen().availableGeometry().height() - _FRAME - others)
        column.activate()  # it is placed by its size
        super().showEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        below = self.frameGeometry().bottom() - self.screen().availableGeometry().bottom()
        if self.isVisible() and below > 0:
            self.move(self.x(), self.y() - below)

    def accept(self) -> None:
        step = self.step()
        if step is None or not self.confirm.isEnabled():
            return
        versions, dataset_id = self._ctx.services.versions, self.dataset.id
        WorkDialog(
            self._ctx,
            self.windowTitle(),
            lambda on_event, cancel: versions.derive(dataset_id, [step], "", on_event, cancel),
            self._on_made,
            self,
            failed=self.preview.problem.show_problem,
        ).start()

    def _feet(self, confirm: str) -> QHBoxLayout:
        self.confirm = PrimaryButton(confirm, self.accept)
        self.confirm.setDefault(True)
        self.confirm.setEnabled(False)
        self.cancel = SecondaryButton(_("Cancel"), self.reject)
        feet = QHBoxLayout()
        feet.setSpacing(current_tokens().space.s)
        feet.addWidget(Caption(_("A new version is made; the old one stays.")), 1)
        feet.addWidget(self.cancel)
        feet.addWidget(self.confirm)
        return feet

    def _on_known(self, preview: StepPreview | None) -> None:
        self.confirm.setEnabled(
            preview is not None and bool(preview.changed or preview.added or preview.removed)
        )

    def _on_made(self, version: DatasetVersion) -> None:
        super().accept()
        self.made.emit(version)
