"""Writing a dataset to a file: format, parts, place; then how far it is, and where the file lies."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from studio.domain.datasets import DatasetVersion, Split, title
from studio.errors import StudioError
from studio.gui.child_job import ChildJob
from studio.gui.context import GuiContext
from studio.gui.dialogs.ask import ask
from studio.gui.pages.data.export.places import suggested_place
from studio.gui.pages.data.problem import ProblemLine
from studio.gui.pages.data.progress import show_event
from studio.gui.theme import current_tokens
from studio.gui.widgets import (
    BodyText,
    Caption,
    FormRow,
    PrimaryButton,
    ProgressPanel,
    SecondaryButton,
    SegmentedControl,
)
from studio.i18n import N_, _
from studio.words import size_words

_FORMATS = {
    "csv": ("CSV", N_("Opens in every table program. Cells that look like formulas are made harmless.")),
    "xlsx": ("Excel", N_("For Excel and its kin; at most 1,048,575 rows.")),
    "jsonl": ("JSON Lines", N_("One row a line, as training programs read it. Nothing is lost.")),
    "parquet": ("Parquet", N_("Small and exact, for other data programs. Nothing is lost.")),
}
_WIDTH = 472


class ExportDialog(QDialog):
    """Stays open to tell where the file is."""

    def __init__(self, ctx: GuiContext, dataset: DatasetVersion, parent: QWidget) -> None:
        super().__init__(parent)
        self._ctx, self.dataset = ctx, dataset
        self._written: Path | None = None
        self._agreed: Path | None = None  # an existing file that the user chose to replace
        self.setWindowTitle(_("Export"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.format = SegmentedControl([(key, words[0]) for key, words in _FORMATS.items()])
        self.about = Caption()
        self.parts = {
            split: QCheckBox(f"{title(split)} ({dataset.splits[split]:,})")
            for split in Split
            if dataset.splits.get(split)
        }
        self.place = QLineEdit(str(suggested_place(dataset.name, "csv")))
        self.choose = SecondaryButton(_("Choose…"), self._choose_place)
        self.problem = ProblemLine()
        self.panel = ProgressPanel("", self._cancel)
        self.outcome = BodyText()
        self.show_folder = SecondaryButton(_("Show in folder"), self._show_folder, icon="folder")
        self.confirm = PrimaryButton(_("Export"), self.accept)
        self.close_button = SecondaryButton(_("Cancel"), self.reject)
        self.job = ChildJob(ctx, self)
        self._arrange()
        self._connect()
        self._on_format(self.format.current())
        self._show_stage("asking")

    def accept(self) -> None:
        splits = [split for split, box in self.parts.items() if box.isChecked()]
        out, form = self._out(), self.format.current()
        if out.is_file() and out != self._agreed and not self._may_replace(out):
            return
        exports, dataset_id = self._ctx.services.data_exports, self.dataset.id
        chosen = None if len(splits) == len(self.parts) else splits
        self.problem.clear()
        self.panel.set_label(_("Writing rows"))
        self.panel.set_progress(0)
        self.panel.cancel.setEnabled(True)
        self._show_stage("working")
        self.job.start(
            lambda hear, cancel: exports.export(dataset_id, form, out, chosen, hear, cancel),
            _("Exporting “{name}”").format(name=self.dataset.name),
        )

    def _out(self) -> Path:
        return Path(self.place.text().strip())

    def _may_replace(self, out: Path) -> bool:
        """A file whose name was typed or proposed; where it was chosen, the file dialog has asked."""
        return ask(
            self, _("Replace the file?"),
            _("{name} is there already, in {folder}.").format(name=out.name, folder=out.parent),
            _("Replace"), _("Cancel"), danger=True,
        )  # fmt: skip

    def reject(self) -> None:
        self._cancel() if self.job.running() else super().reject()

    def _arrange(self) -> None:
        space = current_tokens().space
        column = QVBoxLayout(self)
        column.setContentsMargins(space.xl, space.xl, space.xl, space.xl)
        column.setSpacing(space.l)
        column.setSizeConstraint(QLayout.SizeConstraint.SetFixedSize)  # always as high as its parts
        column.addStrut(_WIDTH)
        self._choices = QWidget()
        choices = QVBoxLayout(self._choices)
        choices.setContentsMargins(0, 0, 0, 0)
        choices.setSpacing(space.l)
        formats = QVBoxLayout()
        formats.setSpacing(space.s)
        self.format.setAccessibleName(_("Format"))
        for part in (BodyText(_("Format")), self.format, self.about):
            formats.addWidget(part)
        choices.addLayout(formats)
        parts = QHBoxLayout()
        parts.setSpacing(space.l)
        for box in self.parts.values():
            box.setChecked(True)
            parts.addWidget(box)
        parts.addStretch(1)
        choices.addLayout(parts)
        place = QHBoxLayout()
        place.setSpacing(space.s)
        place.addWidget(FormRow(_("File"), self.place), 1)
        place.addWidget(self.choose, 0, Qt.AlignmentFlag.AlignBottom)
        choices.addLayout(place)
        for widget in (self._choices, self.problem, self.panel, self.outcome):
            column.addWidget(widget)
        feet = QHBoxLayout()
        feet.setSpacing(space.s)
        feet.addWidget(self.show_folder)
        feet.addStretch(1)
        feet.addWidget(self.close_button)
        feet.addWidget(self.confirm)
        column.addLayout(feet)
        self.confirm.setDefault(True)

    def _connect(self) -> None:
        self.format.changed.connect(self._on_format)
        self.place.textChanged.connect(self._show_ready)
        for box in self.parts.values():
            box.toggled.connect(self._show_ready)
        self.job.told.connect(partial(show_event, self.panel))
        self.job.done.connect(self._on_written)
        self.job.failed.connect(self._on_failed)
        self.job.cancelled.connect(lambda: self._show_stage("asking"))

    def _on_format(self, form: str) -> None:
        self.about.setText(_(_FORMATS[form][1]))
        old = Path(self.place.text().strip() or str(suggested_place(self.dataset.name, form)))
        known = {f".{key}" for key in _FORMATS}
        self.place.setText(str(old.with_suffix(f".{form}") if old.suffix in known else old))
        self._show_ready()

    def _show_ready(self) -> None:
        some = any(box.isChecked() for box in self.parts.values())
        self.confirm.setEnabled(bool(self.place.text().strip()) and some)

    def _show_stage(self, stage: str) -> None:
        self._choices.setVisible(stage == "asking")
        self.panel.setVisible(stage == "working")
        self.outcome.setVisible(stage == "written")
        self.show_folder.setVisible(stage == "written")
        self.confirm.setVisible(stage == "asking")
        self.close_button.setVisible(stage != "working")
        self.close_button.setText(_("Close") if stage == "written" else _("Cancel"))

    def _choose_place(self) -> None:
        form = self.format.current()
        dialog = QFileDialog(self, _("Export to"), self.place.text(), f"{_FORMATS[form][0]} (*.{form})")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(form)
        dialog.selectFile(self.place.text())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._on_chosen)
        dialog.open()

    def _on_chosen(self, path: str) -> None:
        self.place.setText(path)
        self._agreed = self._out()

    def _cancel(self) -> None:
        self.panel.set_label(_("Stopping…"))
        self.panel.cancel.setEnabled(False)
        self.job.cancel()

    def _on_written(self, path: Path) -> None:
        self._written = path
        if path.is_file():
            size = size_words(path.stat().st_size)
            self.outcome.setText(_("The data is in {path} ({size}).").format(path=path, size=size))
        else:
            self.outcome.setText(_("The data is in the folder {path}, with its images.").format(path=path))
        self._show_stage("written")
        self.show_folder.setFocus()

    def _on_failed(self, problem: Exception) -> None:
        self._show_stage("asking")
        if isinstance(problem, StudioError):
            self.problem.show_problem(problem)
        else:
            self._ctx.notices.error_from(problem)

    def _show_folder(self) -> None:
        if self._written is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._written.parent)))
